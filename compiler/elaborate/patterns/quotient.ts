import { asConstant, constant, type Dim, floorDiv, variables } from '../../dims/dim.ts';
import { exactQuotient } from '../../dims/division.ts';
import type { Facts } from '../../dims/facts.ts';
import { gcd } from '../../dims/integers.ts';

/**
 * Returns `a / b` if the division is proved to be exact under `facts`, over the variables of the dims; otherwise
 * undefined.
 */
export function provedQuotient(facts: Facts, a: Dim, b: Dim): Dim | undefined {
  const own = exactQuotient(a, b);
  if (own !== undefined) return own;
  const by = asConstant(b) ?? asConstant(facts.normalize(b));
  if (by !== undefined) return by >= 1 && facts.divides(by, a).answer === 'proved' ? floorDiv(a, by) : undefined;
  // 8*W divides H*W when 8 divides H: the symbolic factor first, then the number.
  const content = contentOf(b);
  const symbolic = exactQuotient(b, constant(content));
  if (content > 1 && symbolic !== undefined) {
    const part = provedQuotient(facts, a, symbolic);
    const whole = part === undefined ? undefined : provedQuotient(facts, part, constant(content));
    if (whole !== undefined) return whole;
  }
  const normal = exactQuotient(facts.normalize(a), facts.normalize(b)) ?? facts.quotient(a, b);
  if (normal === undefined) return undefined;
  const known = new Set([...variables(a), ...variables(b)]);
  return [...variables(normal)].every((name) => known.has(name)) ? normal : undefined;
}

/** The greatest common divisor of the coefficients. */
function contentOf(d: Dim): number {
  return d.terms.reduce((common, { coefficient }) => gcd(common, Math.abs(coefficient)), 0);
}
