import { euclidean, exact, gcd, symmetric } from './integers.ts';
import {
  add,
  addConstant,
  asConstant,
  collect,
  constant,
  constantTerm,
  type Dim,
  divideMonomials,
  fromAtom,
  isOverflow,
  negate,
  overflow,
  scale,
  soleAtom,
  sub,
  symbolicTerms,
  type Term,
} from './polynomial.ts';

/** Returns the q with a = q*b, if b is a single term that divides every term of a. */
export function divideExactly(a: Dim, b: Dim): Dim | undefined {
  const [divisor, ...more] = b.terms;
  if (divisor === undefined || more.length > 0) return undefined;
  const terms: Term[] = [];
  for (const { coefficient, monomial } of a.terms) {
    const rest = divideMonomials(monomial, divisor.monomial);
    if (rest === undefined || coefficient % divisor.coefficient !== 0) return undefined;
    terms.push({ coefficient: coefficient / divisor.coefficient, monomial: rest });
  }
  return collect(terms);
}

/**
 * Returns floor(a / k) in canonical form, for k >= 1:
 * - multiples of k are moved out, which leaves coefficients of minimal absolute value and a constant in [0, k);
 * - the leading coefficient is made positive by floor(-p/k) = -floor((p + k - 1)/k);
 * - common factors are cancelled: floor((g*p + c) / (g*k)) = floor((p + floor(c/g)) / k);
 * - nested floors are merged: floor((p + floor(q/a)) / k) = floor((a*p + q) / (a*k)).
 *
 * Thus ceil(p/k) is always floor((p + k - 1)/k), both for padding to windows and for strided convolutions.
 * If k is NaN (a product beyond 2^53), returns `overflow`.
 */
export function floorDiv(a: Dim, k: number): Dim {
  if (isOverflow(a) || Number.isNaN(k)) return overflow;
  if (!Number.isSafeInteger(k) || k < 1) throw new Error(`bug in crobc: floor of a dim divided by ${k}`);
  if (k === 1) return a;
  const n = asConstant(a);
  if (n !== undefined) return constant(Math.floor(n / k));
  const terms = symbolicTerms(a);
  const leading = terms.find((t) => t.coefficient % k !== 0);
  if (leading && leadingResidue(leading.coefficient, k) < 0) return negate(floorDiv(addConstant(negate(a), k - 1), k));

  const outside: Term[] = [];
  const inside: Term[] = [];
  let common = k;
  for (const { coefficient, monomial } of terms) {
    const residue = symmetric(coefficient, k);
    if (residue !== 0) inside.push({ coefficient: residue, monomial });
    if (residue !== coefficient) outside.push({ coefficient: (coefficient - residue) / k, monomial });
    common = gcd(common, residue);
  }
  const left = Math.floor(constantTerm(a) / common);
  const by = k / common;
  const pulled = addConstant(collect(outside), Math.floor(left / by));
  if (inside.length === 0) return pulled;
  const reduced = inside.map((t) => ({ coefficient: t.coefficient / common, monomial: t.monomial }));
  const rest = addConstant(collect(reduced), euclidean(left, by));
  return add(pulled, mergeNest(rest, by) ?? floorAtom(rest, by));
}

/**
 * Like `symmetric`, but a residue of k/2 keeps the coefficient's sign: floor(-H/2) becomes a ceiling like any other.
 */
function leadingResidue(coefficient: number, k: number): number {
  const residue = symmetric(coefficient, k);
  return residue * 2 === k && coefficient < 0 ? -residue : residue;
}

function mergeNest(p: Dim, k: number): Dim | undefined {
  for (const term of p.terms) {
    const atom = soleAtom(term.monomial);
    if (atom?.kind !== 'floor' || Math.abs(term.coefficient) !== 1 || !Number.isSafeInteger(atom.by * k)) continue;
    const others = sub(p, collect([term]));
    const nested = term.coefficient === 1 ? atom.of : addConstant(negate(atom.of), atom.by - 1);
    return floorDiv(add(scale(others, atom.by), nested), exact(atom.by * k));
  }
  return undefined;
}

function floorAtom(of: Dim, by: number): Dim {
  const degree = of.terms[0]!.monomial.degree;
  const key = of.terms.length === 1 ? `floor(${of.key}/${by})` : `floor((${of.key})/${by})`;
  return fromAtom({ kind: 'floor', key, degree, of, by });
}

/** Returns ceil(a / k), for k >= 1. */
export function ceilDiv(a: Dim, k: number): Dim {
  return floorDiv(addConstant(a, k - 1), k);
}

/** Returns the remainder of a modulo k, in [0, k), for k >= 1. */
export function mod(a: Dim, k: number): Dim {
  return sub(a, scale(floorDiv(a, k), k));
}
