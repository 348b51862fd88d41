import { add, collect, type Dim, divideMonomials, mul, sub, zero } from './polynomial.ts';

/** c with a = b*c as polynomials with integer coefficients, or undefined. */
export function divideExactly(a: Dim, b: Dim): Dim | undefined {
  const leading = b.terms[0];
  if (!leading) return undefined;
  let rest = a;
  let quotient = zero;
  // The order of terms is by degree first, but not a monomial order among equals, so division is cut off.
  for (let left = 4 * (a.terms.length + b.terms.length); rest.terms.length > 0 && left > 0; left--) {
    const term = rest.terms[0]!;
    const monomial = divideMonomials(term.monomial, leading.monomial);
    if (!monomial || term.coefficient % leading.coefficient !== 0) return undefined;
    const step = collect([{ coefficient: term.coefficient / leading.coefficient, monomial }]);
    quotient = add(quotient, step);
    rest = sub(rest, mul(step, b));
  }
  return rest.terms.length === 0 ? quotient : undefined;
}
