import {
  add,
  asConstant,
  constant,
  type Dim,
  divideExactly,
  floorDiv,
  max,
  mul,
  negate,
  one,
  sub,
  zero,
} from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';

/** One end of a range. */
export interface Bound {
  readonly at: Dim;
  /** Whether some element certainly equals `at`, for all sizes. */
  readonly reached: boolean;
}

/** The bounds of a tensor's elements; an unknown end is undefined. Ends are integers, also for floats. */
export interface Range {
  readonly low: Bound | undefined;
  readonly high: Bound | undefined;
  /**
   * The axes along which the elements may differ, as a bit set with the last axis first. If two tensors differ along
   * disjoint axes, all combinations of their elements occur, so their sum reaches the sum of their ends.
   */
  readonly axes: number;
}

type Ends = Pick<Range, 'low' | 'high'>;

const open: Ends = { low: undefined, high: undefined };

export function anything(axes: number): Range {
  return { ...open, axes };
}

/** The range of a tensor whose elements all equal `at`. */
export function single(at: Dim): Range {
  const bound = { at, reached: true };
  return { low: bound, high: bound, axes: 0 };
}

/** A range whose ends need not be reached. */
export function between(low: Dim, high: Dim, axes: number): Range {
  return { low: { at: low, reached: false }, high: { at: high, reached: false }, axes };
}

/** The range of a subset of the elements. */
export function part({ low, high, axes }: Range): Range {
  return { low: low && { ...low, reached: false }, high: high && { ...high, reached: false }, axes };
}

/** The range of the elements of both tensors together. */
export function union(a: Range, b: Range, facts: Facts): Range {
  return {
    low: mirroredBound(furthest(mirroredBound(a.low), mirroredBound(b.low), facts)),
    high: furthest(a.high, b.high, facts),
    axes: a.axes | b.axes,
  };
}

/** The range of the elementwise maximum. */
export function larger(a: Range, b: Range, facts: Facts): Range {
  const low =
    a.low === undefined || b.low === undefined
      ? unreached(a.low ?? b.low)
      : { at: largest(a.low.at, b.low.at, facts), reached: areApart(a, b) && a.low.reached && b.low.reached };
  return { low, high: furthest(a.high, b.high, facts), axes: a.axes | b.axes };
}

/** The range of the elementwise minimum. */
export function smaller(a: Range, b: Range, facts: Facts): Range {
  return mirrored(larger(mirrored(a), mirrored(b), facts));
}

// Integers wrap beyond 32 bits, so an end of a result is only known if both ends of each operand are.

export function negated(x: Range): Range {
  return isClosed(x) ? mirrored(x) : anything(x.axes);
}

export function magnitude(x: Range, facts: Facts): Range {
  if (!isClosed(x)) return anything(x.axes);
  if (isAtLeast(x.low.at, zero, facts)) return x;
  return between(zero, largest(negate(x.low.at), x.high.at, facts), x.axes);
}

export function plus(a: Range, b: Range): Range {
  const axes = a.axes | b.axes;
  if (!isClosed(a) || !isClosed(b)) return anything(axes);
  const apart = areApart(a, b);
  const end = (x: Bound, y: Bound): Bound => ({ at: add(x.at, y.at), reached: apart && x.reached && y.reached });
  return { low: end(a.low, b.low), high: end(a.high, b.high), axes };
}

export function times(a: Range, b: Range, facts: Facts): Range {
  const axes = a.axes | b.axes;
  if (!isClosed(a) || !isClosed(b) || !areSmall(a, b)) return anything(axes);
  const apart = areApart(a, b);
  const end = (x: Bound, y: Bound): Bound => ({ at: mul(x.at, y.at), reached: apart && x.reached && y.reached });
  const isPositive = (x: Closed) => isAtLeast(x.low.at, zero, facts);
  if (isPositive(a) && isPositive(b)) return { low: end(a.low, b.low), high: end(a.high, b.high), axes };
  for (const [x, factor] of [
    [a, b],
    [b, a],
  ] as const) {
    if (factor.low.at.key !== factor.high.at.key) continue;
    if (isPositive(factor)) return { low: end(x.low, factor.low), high: end(x.high, factor.high), axes };
    if (isAtLeast(zero, factor.high.at, facts))
      return { low: end(x.high, factor.low), high: end(x.low, factor.high), axes };
  }
  const corners = [a.low, a.high].flatMap((x) => [end(x, b.low), end(x, b.high)]);
  const numbers = corners.flatMap(({ at, reached }) => {
    const n = asConstant(at);
    return n === undefined ? [] : [{ n, at, reached }];
  });
  if (numbers.length < corners.length) return anything(axes);
  numbers.sort((x, y) => x.n - y.n);
  return { low: numbers[0], high: numbers.at(-1), axes };
}

/** The range of the quotient, rounded down. */
export function quotient(a: Range, b: Range, facts: Facts): Range {
  const axes = a.axes | b.axes;
  if (!isClosed(a) || !isClosed(b) || !isAtLeast(b.low.at, one, facts)) return anything(axes);
  const by = b.low.at.key === b.high.at.key ? b.low.at : undefined;
  const [low, high] = by === undefined ? [] : [a.low, a.high].map((bound) => quotientOf(bound, by, facts));
  if (low !== undefined && high !== undefined) return { low, high, axes };
  if (!isAtLeast(a.low.at, zero, facts)) return anything(axes);
  return { low: { at: zero, reached: false }, high: high ?? unreached(a.high), axes };
}

function quotientOf({ at, reached }: Bound, by: Dim, facts: Facts): Bound | undefined {
  const k = asConstant(by);
  if (k !== undefined) return { at: floorDiv(at, k), reached };
  if (at.key === zero.key) return { at, reached };
  // floor((W·q - 1) / W) = q - 1
  const q = divideExactly(facts.normalize(add(at, one)), by);
  return q && { at: sub(q, one), reached };
}

/** The range of the remainder of a division by a positive number; it starts at 0. */
export function remainder(a: Range, b: Range, facts: Facts): Range {
  const axes = a.axes | b.axes;
  if (b.low === undefined || !isAtLeast(b.low.at, one, facts)) return anything(axes);
  const isWhole = a.high !== undefined && isAtLeast(sub(b.low.at, one), a.high.at, facts);
  if (isWhole && a.low !== undefined && isAtLeast(a.low.at, zero, facts)) return { ...a, axes };
  const high = b.high && { at: sub(b.high.at, one), reached: false };
  return { low: { at: zero, reached: false }, high, axes };
}

/** Whether a >= b is proved. */
export function isAtLeast(a: Dim, b: Dim, facts: Facts): boolean {
  return facts.proves({ kind: 'le', left: b, right: a });
}

interface Closed extends Range {
  readonly low: Bound;
  readonly high: Bound;
}

function isClosed(range: Range): range is Closed {
  return range.low !== undefined && range.high !== undefined;
}

function areApart(a: Range, b: Range): boolean {
  return (a.axes & b.axes) === 0;
}

/** Whether the coefficients of the products of the ends fit into a dim. */
function areSmall(a: Closed, b: Closed): boolean {
  const size = ({ low, high }: Closed) =>
    Math.max(...[low.at, high.at].map(({ terms }) => terms.reduce((sum, t) => sum + Math.abs(t.coefficient), 0)));
  return size(a) * size(b) < 2 ** 48;
}

function unreached(bound: Bound | undefined): Bound | undefined {
  return bound && { ...bound, reached: false };
}

function mirrored({ low, high, axes }: Range): Range {
  return { low: mirroredBound(high), high: mirroredBound(low), axes };
}

function mirroredBound(bound: Bound | undefined): Bound | undefined {
  return bound && { ...bound, at: negate(bound.at) };
}

/** Returns the larger of two ends. If neither is proved to be larger, the result counts as reached only if both are. */
function furthest(a: Bound | undefined, b: Bound | undefined, facts: Facts): Bound | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (isAtLeast(a.at, b.at, facts)) return a;
  if (isAtLeast(b.at, a.at, facts)) return b;
  return { at: max(a.at, b.at), reached: a.reached && b.reached };
}

function largest(a: Dim, b: Dim, facts: Facts): Dim {
  if (isAtLeast(a, b, facts)) return a;
  return isAtLeast(b, a, facts) ? b : max(a, b);
}

/** Returns the range of the numbers of a constant; it is unbounded if one of them is NaN. */
export function ofNumbers(numbers: Iterable<number>, axes: number): Range {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const n of numbers) {
    if (Number.isNaN(n)) return anything(axes);
    if (n < low) low = n;
    if (n > high) high = n;
  }
  const bound = (n: number, end: number): Bound | undefined =>
    Number.isSafeInteger(end) ? { at: constant(end), reached: n === end } : undefined;
  return { low: bound(low, Math.floor(low)), high: bound(high, Math.ceil(high)), axes };
}
