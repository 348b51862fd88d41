import {
  type Atom,
  addConstant,
  type Dim,
  isOverflow,
  type Monomial,
  negate,
  variable,
  variables,
} from './polynomial.ts';
import { substitute } from './substitute.ts';

/** lo <= n <= hi; the ends may be infinite. */
export interface Interval {
  readonly lo: number;
  readonly hi: number;
}

export type Bounds = (variable: string) => Interval;

/** The interval of a variable without facts: a size is at least 1. */
export const size: Interval = { lo: 1, hi: Number.POSITIVE_INFINITY };

/** Widens an interval whose ends are not exact integers. */
function outward(lo: number, hi: number): Interval {
  return {
    lo: lo < Number.MIN_SAFE_INTEGER ? Number.NEGATIVE_INFINITY : Math.min(lo, Number.MAX_SAFE_INTEGER),
    hi: hi > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : Math.max(hi, Number.MIN_SAFE_INTEGER),
  };
}

function times(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b;
}

function product(a: Interval, b: Interval): Interval {
  const ends = [times(a.lo, b.lo), times(a.lo, b.hi), times(a.hi, b.lo), times(a.hi, b.hi)];
  return outward(Math.min(...ends), Math.max(...ends));
}

export function intervalOfAtom(atom: Atom, bounds: Bounds): Interval {
  if (atom.kind === 'variable') return bounds(atom.name);
  if (atom.kind === 'floor') {
    const { lo, hi } = termwise(atom.of, bounds);
    return { lo: Math.floor(lo / atom.by), hi: Math.floor(hi / atom.by) };
  }
  const all = atom.of.map((d) => termwise(d, bounds));
  const pick = Math[atom.kind];
  return { lo: pick(...all.map((i) => i.lo)), hi: pick(...all.map((i) => i.hi)) };
}

export function intervalOfMonomial(monomial: Monomial, bounds: Bounds): Interval {
  let result: Interval = { lo: 1, hi: 1 };
  for (const { atom, power } of monomial.factors) {
    const interval = intervalOfAtom(atom, bounds);
    for (let i = 0; i < power; i++) result = product(result, interval);
  }
  return result;
}

/** Returns the sum of the terms' intervals: fast, but ignores that terms share variables. Unbounded for `overflow`. */
export function termwise(d: Dim, bounds: Bounds): Interval {
  if (isOverflow(d)) return { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY };
  let lo = 0;
  let hi = 0;
  for (const { coefficient, monomial } of d.terms) {
    const term = product({ lo: coefficient, hi: coefficient }, intervalOfMonomial(monomial, bounds));
    lo += term.lo;
    hi += term.hi;
    // As in `outward`, but after each term: a sum that has exceeded exact integers must not return to them.
    if (lo > Number.MAX_SAFE_INTEGER) lo = Number.MAX_SAFE_INTEGER;
    else if (lo < Number.MIN_SAFE_INTEGER) lo = Number.NEGATIVE_INFINITY;
    if (hi < Number.MIN_SAFE_INTEGER) hi = Number.MIN_SAFE_INTEGER;
    else if (hi > Number.MAX_SAFE_INTEGER) hi = Number.POSITIVE_INFINITY;
  }
  return { lo, hi };
}

/**
 * Rewrites each variable as an offset from its finite bound (the names then denote the offsets, which start at 0).
 * The terms' intervals then show that H*W - H >= 0 for sizes: (h+1)*(w+1) - (h+1) = h*w + w.
 */
export function fromZero(d: Dim, bounds: Bounds): Dim {
  const by = new Map<string, Dim>();
  for (const name of variables(d)) {
    const shifted = offset(name, bounds);
    if (shifted) by.set(name, shifted);
  }
  return substitute(d, by);
}

function offset(name: string, bounds: Bounds): Dim | undefined {
  const { lo, hi } = bounds(name);
  if (lo === 0 || (lo === Number.NEGATIVE_INFINITY && hi === Number.POSITIVE_INFINITY)) return undefined;
  return Number.isFinite(lo) ? addConstant(variable(name), lo) : addConstant(negate(variable(name)), hi);
}

/** Returns the bounds of the offsets of `fromZero`. */
export function offsetBounds(bounds: Bounds): Bounds {
  return (name) => {
    const { lo, hi } = bounds(name);
    if (Number.isFinite(lo)) return { lo: 0, hi: hi - lo };
    return Number.isFinite(hi) ? { lo: 0, hi: Number.POSITIVE_INFINITY } : { lo, hi };
  };
}

/** Returns the intersection of two estimates: term by term, and term by term after `fromZero`. */
export function intervalOf(d: Dim, bounds: Bounds): Interval {
  const a = termwise(d, bounds);
  if (d.terms.length < 2) return a;
  const b = termwise(fromZero(d, bounds), offsetBounds(bounds));
  return { lo: Math.max(a.lo, b.lo), hi: Math.min(a.hi, b.hi) };
}
