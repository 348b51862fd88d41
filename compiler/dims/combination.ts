import { type Bounds, intervalOfAtom, intervalOfMonomial } from './interval.ts';
import {
  addConstant,
  constant,
  constantTerm,
  type Dim,
  divideMonomials,
  type FloorAtom,
  fromAtom,
  fromMonomial,
  isOverflow,
  type Monomial,
  mul,
  negate,
  scale,
  sub,
  symbolicTerms,
} from './polynomial.ts';
import { floorDiv } from './quotient.ts';
import { type Pivots, solve } from './simplex.ts';

/** Limits on the number of inequalities, and on the number of monomials in them. */
const mostInequalities = 48;
const mostMonomials = 48;

/**
 * Proves d >= 0 by writing d as a sum of nonnegative multiples of inequalities, nonnegative monomials and a constant
 * greater than -1 (which suffices, as d is an integer). The inequalities are `facts`, products of facts and
 * monomials, bounds, and k*floor(p/k) <= p < k*floor(p/k) + k. A linear program finds the multiples; unlike a search
 * that applies facts one after another, it finds chains of any length.
 */
export function isCombination(d: Dim, facts: readonly Dim[], bounds: Bounds, pivots: Pivots): boolean {
  const used = inequalitiesFor(d, facts, bounds);
  if (!used) return false;
  const monomials = new Map<string, Monomial>();
  for (const f of [d, ...used]) for (const { monomial } of symbolicTerms(f)) monomials.set(monomial.key, monomial);
  if (monomials.size > mostMonomials) return false;
  const rows: { of: number[]; most: number }[] = [];
  const coefficients = [d, ...used].map((f) => new Map(f.terms.map((t) => [t.monomial.key, t.coefficient])));
  for (const [key, monomial] of monomials) {
    const [own, ...others] = coefficients.map((c) => c.get(key) ?? 0);
    rows.push({ of: others, most: own! });
    // The coefficient of a monomial that can be negative must cancel exactly.
    if (intervalOfMonomial(monomial, bounds).lo < 0) rows.push({ of: others.map((c) => -c), most: -own! });
  }
  const weights = solve(
    {
      rows,
      goal: { of: used.map(constantTerm), most: constantTerm(d) },
    },
    pivots,
  );
  return weights !== undefined && isProof(d, used, weights, bounds);
}

/**
 * Verifies the solution of the linear program in exact integers: `by` times d minus the sum must be greater than -by
 * by bounds alone.
 */
function isProof(
  d: Dim,
  used: readonly Dim[],
  { by, times }: { by: number; times: readonly number[] },
  bounds: Bounds,
): boolean {
  let rest = scale(d, by);
  for (let i = 0; i < used.length; i++) {
    if (times[i]! < 0) return false;
    rest = sub(rest, scale(used[i]!, times[i]!));
  }
  return (
    by > 0 &&
    constantTerm(rest) > -by &&
    symbolicTerms(rest).every((t) => t.coefficient > 0 && intervalOfMonomial(t.monomial, bounds).lo >= 0)
  );
}

/**
 * Collects the inequalities that can cancel negative terms of d, and negative terms that arise from this. Undefined
 * if there are too many.
 */
function inequalitiesFor(d: Dim, facts: readonly Dim[], bounds: Bounds): readonly Dim[] | undefined {
  const base = new Map<string, Dim>();
  const floors = new Map<string, FloorAtom>();
  const addBase = (f: Dim): void => {
    if (base.has(f.key) || isOverflow(f)) return;
    base.set(f.key, f);
    for (const floor of floorsIn(f)) if (!floors.has(floor.key)) define(floor);
  };
  const define = (floor: FloorAtom): void => {
    floors.set(floor.key, floor);
    const short = sub(floor.of, scale(fromAtom(floor), floor.by));
    addBase(short);
    addBase(addConstant(negate(short), floor.by - 1));
  };
  for (const floor of floorsIn(d)) if (!floors.has(floor.key)) define(floor);
  for (const f of facts) addBase(f);
  for (const floor of floors.values())
    for (const f of facts) for (const bound of boundsOfFloor(floor, f)) addBase(bound);

  const used = new Map<string, Dim>();
  const wanted: Monomial[] = [];
  const seen = new Set<string>();
  const want = (f: Dim, sign: number): void => {
    for (const { coefficient, monomial } of symbolicTerms(f)) {
      const leftOver = coefficient * sign;
      if (seen.has(monomial.key)) continue;
      if (leftOver > 0 && intervalOfMonomial(monomial, bounds).lo >= 0) continue;
      seen.add(monomial.key);
      wanted.push(monomial);
    }
  };
  const use = (f: Dim): void => {
    if (used.has(f.key) || isOverflow(f)) return;
    used.set(f.key, f);
    want(f, -1);
  };
  const degree = d.terms[0]?.monomial.degree ?? 0;
  want(d, 1);
  for (const f of base.values()) if (constantTerm(f) < 0 && f.terms[0]!.monomial.degree <= degree) use(f);
  for (let next = wanted.pop(); next; next = wanted.pop()) {
    const { lo, hi } = intervalOfMonomial(next, bounds);
    if (Number.isFinite(hi)) use(sub(constant(hi), fromMonomial(next)));
    if (Number.isFinite(lo) && lo !== 0) use(addConstant(fromMonomial(next), -lo));
    for (const f of base.values()) {
      for (const t of symbolicTerms(f)) {
        if (t.coefficient > 0 && lo >= 0) continue;
        const by = divideMonomials(next, t.monomial);
        // Products of a higher degree have never helped, and would be generated without end.
        if (!by || by.degree + f.terms[0]!.monomial.degree > degree) continue;
        if (by.factors.some((factor) => intervalOfAtom(factor.atom, bounds).lo < 0)) continue;
        use(mul(fromMonomial(by), f));
      }
    }
    if (used.size > mostInequalities) return undefined;
  }
  return [...used.values()];
}

/** If f or -f is p - k*q + c, returns the bound f gives for floor(p/k): at least, or at most, q plus a constant. */
function boundsOfFloor(floor: FloorAtom, f: Dim): Dim[] {
  const { of, by } = floor;
  const own = fromAtom(floor);
  return [f, negate(f)].flatMap((g) => {
    const rest = sub(of, g);
    if (rest.terms.some((t) => t.coefficient % by !== 0 && t.monomial.factors.length > 0)) return [];
    // p - g is k*q - c: g >= 0 means p >= k*q - c, and -g >= 0 means p <= k*q - c.
    const q = floorDiv(rest, by);
    return [g === f ? sub(own, q) : sub(q, own)];
  });
}

function floorsIn(d: Dim): FloorAtom[] {
  return d.terms.flatMap(({ monomial }) =>
    monomial.factors.flatMap(({ atom }) => (atom.kind === 'floor' ? [atom] : [])),
  );
}
