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

/** Without the factors that all terms share and that are at least 1: H*W == H*N is W == N. */
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
 * A dim that is at least 0 exactly when d is: g*p + c, p being whole, is at least 0 exactly when p + floor(c/g) is, and a
 * factor that is at least 1 does not matter.
 */
export function tightened(d: Dim, bounds: Bounds): Dim {
  const symbolic = symbolicTerms(d);
  const common = symbolic.reduce((g, t) => gcd(g, t.coefficient), 0);
  if (common <= 1) return withoutPositiveFactor(d, bounds);
  const divided = collect(symbolic.map((t) => ({ coefficient: t.coefficient / common, monomial: t.monomial })));
  return withoutPositiveFactor(addConstant(divided, Math.floor(constantTerm(d) / common)), bounds);
}
