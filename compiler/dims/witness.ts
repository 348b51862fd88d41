import { type Clause, clauseVariables, holdsAt } from './clause.ts';
import { evaluate } from './dim.ts';
import type { Interval } from './interval.ts';
import { boundsOf, type Known } from './known.ts';
import {
  asConstant,
  atomVariables,
  constantTerm,
  type Dim,
  mentions,
  soleAtom,
  symbolicTerms,
  variable,
  variables,
} from './polynomial.ts';

export type Assignment = ReadonlyMap<string, number>;
type At = (variable: string) => number;

export interface Search {
  readonly known: Known;
  readonly clauses: readonly Clause[];
  /** The variables of the returned assignment. */
  readonly names: ReadonlySet<string>;
  /**
   * Dims over free variables whose floors and constants suggest values to try; without hints, the smallest values
   * come first.
   */
  readonly hints: readonly Dim[];
  /** The maximum number of assignments to try. */
  readonly tries: number;
  readonly accepts: (at: At) => boolean;
}

/** Returns the first assignment that satisfies the clauses and that `accepts` accepts; the order of trial is fixed. */
export function search({ known, clauses, names, hints, tries, accepts }: Search): Assignment | undefined {
  const tied = [...clauses];
  const closure = close(names, tied);
  const relevant = tied.filter((c) => [...clauseVariables(c)].some((name) => closure.has(name)));
  const sources = [...closure].map((name) => [name, known.substitution.get(name) ?? variable(name)] as const);
  const free = [...new Set(sources.flatMap(([, d]) => [...variables(d)]))].sort();
  const bounds = boundsOf(known);
  const candidates = free.map((name, i) =>
    hints.length > 0 ? telling(name, i, bounds(name), known.meaning.has(name), hints, tries) : smallest(bounds(name)),
  );
  const values = new Map<string, number>();
  const point = new Map<string, number>();
  const atFree = (name: string) => values.get(name)!;
  const at = (name: string) => point.get(name)!;
  const attempt = (indices: readonly number[]): boolean => {
    free.forEach((name, i) => {
      values.set(name, candidates[i]![indices[i]!]!);
    });
    for (const [name, d] of sources) {
      const n = evaluate(d, atFree);
      // This also rejects NaN, a value beyond 2^53.
      if (!(n >= 1)) return false;
      point.set(name, n);
    }
    return accepts(at) && relevant.every((c) => holdsAt(c, at));
  };
  if (
    !diagonally(
      candidates.map((c) => c.length),
      tries,
      attempt,
    )
  )
    return undefined;
  return new Map([...names].map((name) => [name, point.get(name)!]));
}

/** Returns the names and all variables that clauses connect to them. */
function close(names: ReadonlySet<string>, clauses: readonly Clause[]): ReadonlySet<string> {
  const closure = new Set(names);
  for (let before = -1; before !== closure.size; ) {
    before = closure.size;
    for (const c of clauses) {
      const own = clauseVariables(c);
      if ([...own].some((name) => closure.has(name))) for (const name of own) closure.add(name);
    }
  }
  return closure;
}

/** Enumerates index vectors by ascending sum until `take` accepts one or `tries` are used up. */
function diagonally(lengths: readonly number[], tries: number, take: (indices: readonly number[]) => boolean): boolean {
  const indices = lengths.map(() => 0);
  let left = tries;
  const fill = (i: number, sum: number): boolean => {
    if (i === lengths.length) return sum === 0 && left-- > 0 && take(indices);
    const last = i === lengths.length - 1;
    for (let n = last ? sum : 0; n <= Math.min(sum, lengths[i]! - 1); n++) {
      indices[i] = n;
      if (fill(i + 1, sum - n)) return true;
      if (left <= 0) return false;
    }
    return false;
  };
  const most = lengths.reduce((a, b) => a + b - 1, 0);
  for (let sum = 0; sum <= most && left > 0; sum++) if (fill(0, sum)) return true;
  return false;
}

/** A search with at most this many tries uses only the likeliest values. */
const few = 64;
const primes = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
const spread = [
  4, 6, 8, 9, 10, 12, 15, 16, 20, 24, 32, 33, 48, 64, 65, 100, 128, 256, 257, 512, 1000, 1024, 4096, 100_000,
];

function smallest({ lo, hi }: Interval): number[] {
  const from = Number.isFinite(lo) ? lo : Math.min(0, hi) - 8;
  return within({ lo, hi }, [...Array.from({ length: 40 }, (_, i) => from + i), ...spread.map((n) => from + n), hi]);
}

/**
 * Values that make good counterexamples: just past the divisor of a floor, just past a bound, otherwise primes,
 * starting with a different one for each variable, so that different sizes have different values. A variable that
 * counts multiples starts at its minimum.
 */
function telling(
  name: string,
  index: number,
  { lo, hi }: Interval,
  counts: boolean,
  hints: readonly Dim[],
  tries: number,
): number[] {
  const divisor = Math.max(0, ...hints.map((d) => largestDivisor(d, name)));
  const half = Math.floor(divisor / 2);
  const own = divisor > 1 ? [1, half, divisor + 1].map((n) => (index + 1) * divisor + n) : [];
  const rotated = [...primes.slice(index % primes.length), ...primes.slice(0, index % primes.length)];
  const edges = hints.flatMap((d) => edge(d, name));
  const near = divisor > 1 ? [divisor - 1, divisor, 2 * divisor - 1, divisor + 2, divisor + 3] : [];
  // Offsets from the lower bound, which is 1 for sizes, so that H is 2, 3, 5…
  const from = Number.isFinite(lo) ? lo - 1 : 0;
  const offsets = divisor > 1 || from > 0 || counts ? [index + 1, 1, 2, 3] : [];
  const plain = (lo === 1 && !counts) || !Number.isFinite(lo) ? rotated : [];
  const first = [...edges, ...own, ...plain.slice(0, 3), ...offsets.map((n) => from + n), lo, hi, ...near];
  if (tries <= few) return within({ lo, hi }, first);
  const rows = Array.from({ length: 24 }, (_, i) => from + 1 + i);
  return within({ lo, hi }, [...first, ...plain.slice(3), ...rows, ...spread, ...spread.map((n) => from + n)]);
}

function within({ lo, hi }: Interval, values: readonly number[]): number[] {
  return [...new Set(values)].filter((n) => Number.isSafeInteger(n) && n >= lo && n <= hi);
}

function largestDivisor(d: Dim, name: string): number {
  let largest = 0;
  for (const { monomial } of d.terms) {
    for (const { atom } of monomial.factors) {
      if (atom.kind === 'floor' && mentions(atom.of, { has: (n) => n === name }))
        largest = Math.max(largest, atom.by, largestDivisor(atom.of, name));
    }
  }
  return largest;
}

/** Returns the value at which c*x + n, in one variable, crosses 0, and the next value. */
function edge(d: Dim, name: string): number[] {
  const symbolic = symbolicTerms(d);
  const [only] = symbolic;
  if (!only || symbolic.length !== 1) return [];
  const atom = soleAtom(only.monomial);
  if (!atom || ![...atomVariables(atom)].includes(name)) return [];
  const by = Math.abs(only.coefficient) / (atom.kind === 'floor' ? atom.by : 1);
  const n = Math.floor(Math.abs(asConstant(d) ?? constantTerm(d)) / by);
  return n > 0 ? [n + 1, n] : [];
}
