import { add, asConstant, constant, type Dim, floorDiv, mul, power, sub, variables, zero } from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import { type Atom, fromAtom, type Term } from '../../dims/polynomial.ts';

/** The `q` with `a == b * q` as polynomials over variables and atoms, or undefined. Uses no facts. */
export function exactQuotient(a: Dim, b: Dim): Dim | undefined {
  const by = asConstant(b);
  if (by === 1) return a;
  if (by === 0) return undefined;
  if (a.key === b.key) return constant(1);
  const atoms = atomsOf([...a.terms, ...b.terms]);
  const lead = leading(b, atoms);
  let rest = a;
  let quotient = zero;
  while (rest.terms.length > 0) {
    const part = termQuotient(leading(rest, atoms), lead, atoms);
    if (part === undefined) return undefined;
    quotient = add(quotient, part);
    rest = sub(rest, mul(part, b));
  }
  return quotient;
}

/**
 * `a / b` where the division is exact under `facts`, in the variables that the dims are written in;
 * undefined where that is not proved.
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
  const normal = exactQuotient(facts.normalize(a), facts.normalize(b));
  if (normal === undefined) return undefined;
  const known = new Set([...variables(a), ...variables(b)]);
  return [...variables(normal)].every((name) => known.has(name)) ? normal : undefined;
}

/** The greatest common divisor of the coefficients. */
function contentOf(d: Dim): number {
  return d.terms.reduce((common, { coefficient }) => gcd(common, Math.abs(coefficient)), 0);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** In the order of their keys. */
function atomsOf(terms: readonly Term[]): readonly Atom[] {
  const byKey = new Map(terms.flatMap(({ monomial }) => monomial.factors.map(({ atom }) => [atom.key, atom] as const)));
  return [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

function exponent({ monomial }: Term, atom: Atom): number {
  return monomial.factors.find((factor) => factor.atom.key === atom.key)?.power ?? 0;
}

/** The first term in lexicographic order, which products respect: division by it finds every exact quotient. */
function leading(d: Dim, atoms: readonly Atom[]): Term {
  return d.terms.reduce((best, term) => {
    for (const atom of atoms) {
      const difference = exponent(term, atom) - exponent(best, atom);
      if (difference !== 0) return difference > 0 ? term : best;
    }
    return best;
  });
}

function termQuotient(a: Term, b: Term, atoms: readonly Atom[]): Dim | undefined {
  if (a.coefficient % b.coefficient !== 0) return undefined;
  let quotient = constant(a.coefficient / b.coefficient);
  for (const atom of atoms) {
    const left = exponent(a, atom) - exponent(b, atom);
    if (left < 0) return undefined;
    if (left > 0) quotient = mul(quotient, power(fromAtom(atom), left));
  }
  return quotient;
}
