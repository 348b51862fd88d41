import { gcd } from './integers.ts';
import { type Bounds, intervalOfMonomial } from './interval.ts';
import {
  addConstant,
  collect,
  constantTerm,
  type Dim,
  divideMonomials,
  monomialOf,
  symbolicTerms,
} from './polynomial.ts';

/** Divides d by the factors that all its terms share and that are at least 1: H*W == H*N becomes W == N. */
export function withoutPositiveFactor(d: Dim, bounds: Bounds): Dim {
  const [first, ...others] = d.terms;
  if (!first || others.length === 0) return d;
  const shared = first.monomial.factors.flatMap((f) => {
    const powers = others.map((t) => t.monomial.factors.find((g) => g.atom.key === f.atom.key)?.power ?? 0);
    const power = Math.min(f.power, ...powers);
    const factor = { atom: f.atom, power };
    return power > 0 && intervalOfMonomial(monomialOf([factor]), bounds).lo >= 1 ? [factor] : [];
  });
  if (shared.length === 0) return d;
  const by = monomialOf(shared);
  return collect(d.terms.map((t) => ({ coefficient: t.coefficient, monomial: divideMonomials(t.monomial, by)! })));
}

/**
 * Returns a simpler dim that is >= 0 if and only if d is: for an integer p, g*p + c >= 0 is equivalent to p +
 * floor(c/g) >= 0, and a factor that is at least 1 can be dropped.
 */
export function tightened(d: Dim, bounds: Bounds): Dim {
  const symbolic = symbolicTerms(d);
  const common = symbolic.reduce((g, t) => gcd(g, t.coefficient), 0);
  if (common <= 1) return withoutPositiveFactor(d, bounds);
  const divided = collect(symbolic.map((t) => ({ coefficient: t.coefficient / common, monomial: t.monomial })));
  return withoutPositiveFactor(addConstant(divided, Math.floor(constantTerm(d) / common)), bounds);
}
