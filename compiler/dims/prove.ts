import { isCombination } from './combination.ts';
import { gcd } from './integers.ts';
import { type Bounds, fromZero, intervalOfAtom, offsetBounds, termwise } from './interval.ts';
import {
  type Atom,
  add,
  addConstant,
  asConstant,
  atomVariables,
  collect,
  type Dim,
  divideMonomials,
  fromMonomial,
  isOverflow,
  monomialOf,
  mul,
  negate,
  scale,
  soleAtom,
  sub,
  type Term,
  variable,
  variables,
} from './polynomial.ts';
import { tightened } from './positive-factor.ts';
import type { Pivots } from './simplex.ts';

/** The premises of a proof: bounds of variables, and dims known to be >= 0. */
export interface World {
  readonly bounds: Bounds;
  readonly inequalities: readonly Dim[];
}

/** The remaining steps and pivots, shared by all cases of one question, so that no question takes noticeable time. */
export interface Budget extends Pivots {
  left: number;
}

/** The maximum number of known inequalities applied one after another. `isCombination` finds longer chains. */
const depth = 5;

/**
 * Whether d >= 0 can be proved: by intervals of the terms after variables are offset to start at zero, by
 * subtracting known inequalities times monomials, and by writing k*floor(p/k) as p - e with 0 <= e < k. Sound, but
 * not complete.
 */
export function nonnegative(d: Dim, world: World, budget: Budget): boolean {
  const known = asConstant(d);
  if (known !== undefined) return known >= 0;
  if (termwise(d, world.bounds).lo >= 0) return true;
  if (budget.left <= 0 && budget.pivots <= 0) return false;
  const bounds = offsetBounds(world.bounds);
  // Fast path: enough for most dims.
  if (termwise(fromZero(d, world.bounds), bounds).lo >= 0) return true;
  const goal = fromZero(tightened(d, world.bounds), world.bounds);
  // No proof is attempted with numbers beyond 2^53.
  if (isOverflow(goal)) return false;
  const facts = connected(d, world.inequalities)
    .map((f) => fromZero(f, world.bounds))
    .filter((f) => !isOverflow(f));
  if (budget.left > 0 && show(goal, { bounds, facts, seen: new Set(), budget }, depth)) return true;
  return budget.pivots > 0 && isCombination(goal, facts, bounds, budget);
}

/** The state of a proof; variables are offsets from zero. */
interface Proof {
  readonly bounds: Bounds;
  readonly facts: readonly Dim[];
  /** The keys of dims already tried, since facts are subtracted in every order. */
  readonly seen: Set<string>;
  readonly budget: Budget;
}

/** The inequalities that share a variable with d, directly or through other inequalities. */
function connected(d: Dim, inequalities: readonly Dim[]): readonly Dim[] {
  if (inequalities.length === 0) return inequalities;
  const names = new Set(variables(d));
  let kept: Dim[] = [];
  for (let before = -1; before !== kept.length; ) {
    before = kept.length;
    kept = inequalities.filter((f) => kept.includes(f) || [...variables(f)].some((name) => names.has(name)));
    for (const f of kept) for (const name of variables(f)) names.add(name);
  }
  return kept;
}

function show(d: Dim, proof: Proof, deep: number): boolean {
  const { bounds, budget, seen } = proof;
  if (termwise(d, bounds).lo >= 0) return true;
  if (isOverflow(d) || deep === 0 || seen.has(d.key) || budget.left-- <= 0) return false;
  seen.add(d.key);
  const limits = [...variables(d)].flatMap((name) => {
    const { hi } = bounds(name);
    return Number.isFinite(hi) ? [addConstant(negate(variable(name)), hi)] : [];
  });
  const usable = [...proof.facts, ...limits];
  for (const term of d.terms) {
    if (term.coefficient > 0) continue;
    for (const fact of usable) {
      const less = takeAway(d, term, fact, bounds);
      if (less && show(less, proof, deep - 1)) return true;
    }
  }
  const whole = withoutUnitFloor(d);
  if (whole) return show(whole, proof, deep);
  const floor = linearFloor(d);
  if (!floor) return false;
  const e = `e${budget.left}~`;
  const { by } = floor;
  const withError: Bounds = (name) => (name === e ? { lo: 0, hi: by - 1 } : bounds(name));
  return show(withoutFloor(d, floor, variable(e)), { ...proof, bounds: withError }, deep);
}

/**
 * Returns a positive multiple of d minus the multiple of `fact` that cancels `term`: if the difference is >= 0, so
 * is d.
 */
function takeAway(d: Dim, term: Term, fact: Dim, bounds: Bounds): Dim | undefined {
  for (const t of fact.terms) {
    if (t.coefficient > 0) continue;
    const by = divideMonomials(term.monomial, t.monomial);
    // Differences of a higher degree have never helped, and would grow without end.
    if (!by || by.degree + fact.terms[0]!.monomial.degree > d.terms[0]!.monomial.degree) continue;
    if (by.factors.some((f) => intervalOfAtom(f.atom, bounds).lo < 0)) continue;
    const g = gcd(term.coefficient, t.coefficient);
    return sub(scale(d, -t.coefficient / g), scale(mul(fromMonomial(by), fact), -term.coefficient / g));
  }
  return undefined;
}

type Floor = Extract<Atom, { kind: 'floor' }>;

/**
 * Removes a floor with coefficient 1 or -1: q + floor(p/k) >= 0 if and only if p + k*q >= 0, and q - floor(p/k) >= 0
 * if and only if k*q + k - 1 - p >= 0. As q is an integer, this is an equivalence, unlike the form with an error
 * term.
 */
function withoutUnitFloor(d: Dim): Dim | undefined {
  const term = d.terms.find(({ coefficient, monomial }) => {
    return Math.abs(coefficient) === 1 && soleAtom(monomial)?.kind === 'floor';
  });
  const floor = term && soleAtom(term.monomial);
  if (floor?.kind !== 'floor') return undefined;
  const q = scale(collect(d.terms.filter((t) => t !== term)), floor.by);
  if (term!.coefficient === 1) return add(q, floor.of);
  return addConstant(sub(q, floor.of), floor.by - 1);
}

/** Finds a floor that occurs in d only to the first power and not inside other atoms. */
function linearFloor(d: Dim): Floor | undefined {
  for (const { monomial } of d.terms) {
    for (const { atom } of monomial.factors) {
      if (atom.kind !== 'floor') continue;
      const elsewhere = d.terms.some((t) =>
        t.monomial.factors.some((f) => (f.atom.key === atom.key ? f.power > 1 : contains(f.atom, atom))),
      );
      if (!elsewhere) return atom;
    }
  }
  return undefined;
}

function contains(outer: Atom, inner: Atom): boolean {
  if (outer.kind === 'variable') return false;
  const names = new Set(atomVariables(outer));
  if (![...atomVariables(inner)].every((name) => names.has(name))) return false;
  return outer.key.includes(inner.key);
}

/** Returns by*d with by*floor(of/by) replaced by of - e. */
function withoutFloor(d: Dim, floor: Floor, e: Dim): Dim {
  const times: Term[] = [];
  const others: Term[] = [];
  for (const term of d.terms) {
    const { factors } = term.monomial;
    if (!factors.some((f) => f.atom.key === floor.key)) others.push(term);
    else
      times.push({
        coefficient: term.coefficient,
        monomial: monomialOf(factors.filter((f) => f.atom.key !== floor.key)),
      });
  }
  return add(mul(collect(times), sub(floor.of, e)), scale(collect(others), floor.by));
}
