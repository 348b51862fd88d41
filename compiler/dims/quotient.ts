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
 * - floor(-p/k) = -floor((p + k - 1)/k) makes the leading coefficient positive (see `isTurned`);
 * - common factors are cancelled: floor((g*p + c) / (g*k)) = floor((p + floor(c/g)) / k);
 * - nested floors are merged: floor((p + floor(q/a)) / k) = floor((a*p + q) / (a*k)).
 *
 * Thus ceil(p/k) is always floor((p + k - 1)/k), both for padding to windows and for strided convolutions, and
 * floor((p + k*q)/k) is floor(p/k) + q. An exception are floors in which all coefficients are half of the divisor:
 * floor(-p/2) is floor(p/2) - p by the first rule and -ceil(p/2) by the second, so that no form obeys both unless
 * ceil(p/2) is written as p - floor(p/2). `withoutUpperHalves` does that for proofs of equality.
 * If k is NaN (a product beyond 2^53), returns `overflow`.
 */
export function floorDiv(a: Dim, k: number): Dim {
  if (isOverflow(a) || Number.isNaN(k)) return overflow;
  if (!Number.isSafeInteger(k) || k < 1) throw new Error(`bug in crobc: floor of a dim divided by ${k}`);
  if (k === 1) return a;
  const n = asConstant(a);
  if (n !== undefined) return constant(Math.floor(n / k));
  const terms = symbolicTerms(a);
  const areHalves = k % 2 === 0 && terms.every((t) => (2 * t.coefficient) % k === 0);
  if (isTurned(terms, k, areHalves)) return negate(floorDiv(addConstant(negate(a), k - 1), k));

  const outside: Term[] = [];
  const inside: Term[] = [];
  let common = k;
  for (const { coefficient, monomial } of terms) {
    let residue = symmetric(coefficient, k);
    // Both signs are equally small. Of -floor(q/a), the negative one merges with the nested floor as it is.
    if (areHalves && residue > 0 && coefficient < 0 && soleAtom(monomial)?.kind === 'floor') residue = -residue;
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
 * Whether floor(p/k) becomes a ceiling of -p. The residue of the first coefficient that is not k/2 decides, as it is
 * the same in p + k*q. If all are halves, the sign of the leading one decides: floor(-H/2) is a ceiling like any other.
 */
function isTurned(terms: readonly Term[], k: number, areHalves: boolean): boolean {
  for (const { coefficient } of terms) {
    const residue = symmetric(coefficient, k);
    if (residue !== 0 && (areHalves || residue * 2 !== k)) return areHalves ? coefficient < 0 : residue < 0;
  }
  return false;
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
