import { add, asConstant, type Dim, one, sum, zero } from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import type { Value } from '../../ir/graph.ts';
import { sameDim } from '../../ir/shapes.ts';
import { type NonEmpty, pairs } from '../../lists.ts';
import { at } from '../../ops/typing.ts';
import { axesOf, emit, type PatternContext, starredOf } from './context.ts';
import { isRefused, type PatternResult, proveAtMost, proveEqual, type Refused, refuse } from './fault.ts';
import type { AxisList, PlainAxis, StarredList } from './pattern.ts';
import { refuseUnknown, restCount } from './sizes.ts';

/** Concatenates tensors along the starred axis: `concat([a, b], "b * d")`. */
export function concat(cx: PatternContext, xs: NonEmpty<Value>, pattern: string): PatternResult {
  const axis = starredAxis(cx, xs, pattern);
  return isRefused(axis) ? axis : emit(cx, 'concat', xs, { axis });
}

/** Stacks tensors of the same shape along a new axis at the star: `stack([a, b], "* b c")`. */
export function stack(cx: PatternContext, xs: NonEmpty<Value>, pattern: string): PatternResult {
  const side = starredOf(cx, pattern);
  if (isRefused(side)) return side;
  const [first] = xs;
  const own = { axes: side.axes.toSpliced(side.star, 1), hasRest: side.hasRest };
  for (const [input, x] of xs.entries()) {
    const places = placesOf(own, x, `operand ${input + 1}`);
    if (isRefused(places)) return places;
    const wrong = checkOnes(cx.facts, places, input) ?? checkAgree(cx.facts, first, x, input, undefined);
    if (wrong) return wrong;
  }
  const axis = starAt(side, first.type.shape.length + 1);
  const slabs = xs.map((x) => emit(cx, 'reshape', [x], { shape: x.type.shape.toSpliced(axis, 0, one) }));
  return emit(cx, 'concat', slabs, { axis });
}

/** Splits a tensor along the starred axis into parts of the given sizes, which must add up to the axis. */
export function split(
  cx: PatternContext,
  x: Value,
  pattern: string,
  sizes: readonly Dim[],
): PatternResult<readonly Value[]> {
  const { facts } = cx;
  const axis = starredAxis(cx, [x], pattern);
  if (isRefused(axis)) return axis;
  const whole = at(x.type.shape, axis);
  const of = { input: 0, axis };
  for (const size of sizes) {
    const refused = proveAtMost(facts, one, size, 'the size of a part must be at least 1', of);
    if (refused) return refused;
  }
  const unequal = proveEqual(facts, whole, sum(sizes), 'the sizes of the parts do not add up to the axis', of);
  if (unequal) return unequal;
  const parts: Value[] = [];
  let start: Dim = zero;
  for (const [i, size] of sizes.entries()) {
    const stop = i === sizes.length - 1 ? whole : add(start, size);
    const part = sliceAxis(cx, x, axis, start, stop);
    if (isRefused(part)) return part;
    parts.push(part);
    start = stop;
  }
  return parts;
}

/** Slices one axis to the half-open range `start`..`stop`. */
export function sliceAxis(cx: PatternContext, x: Value, axis: number, start: Dim, stop: Dim): PatternResult {
  const { shape } = x.type;
  return emit(cx, 'slice', [x], {
    start: shape.map((_, other) => (other === axis ? start : zero)),
    stop: shape.map((size, other) => (other === axis ? stop : size)),
    step: shape.map(() => 1),
  });
}

/**
 * Pads named axes with `value` before and after: `pad(x, "b h w c", h = (0, 2))`. The amounts must be proved
 * nonnegative.
 */
export function pad(
  cx: PatternContext,
  x: Value,
  pattern: string,
  amounts: ReadonlyMap<string, readonly [Dim, Dim]>,
  value: number,
): PatternResult {
  const axes = namedAxes(cx, x, pattern, amounts);
  if (isRefused(axes)) return axes;
  const low: Dim[] = x.type.shape.map(() => zero);
  const high = low.slice();
  for (const { name, axis, amount } of axes) {
    const message = `the padding of the axis \`${name}\` must be 0 or more`;
    for (const end of amount) {
      const refused = proveAtMost(cx.facts, zero, end, message, { input: 0, axis });
      if (refused) return refused;
    }
    [low[axis], high[axis]] = amount;
  }
  return emit(cx, 'pad', [x], { low, high, value });
}

/** Applies an operator along the starred axis, `softmax(x, "b * n")`, or along the last axis if there is no pattern. */
export function alongAxis(
  cx: PatternContext,
  op: 'softmax' | 'log_softmax',
  x: Value,
  pattern: string | null,
): PatternResult {
  const axis = pattern === null ? x.type.shape.length - 1 : starredAxis(cx, [x], pattern);
  return isRefused(axis) ? axis : emit(cx, op, [x], { axis });
}

/** An axis given by name, with the amount for it. */
export interface NamedAmount<T> {
  readonly name: string;
  readonly axis: number;
  readonly size: Dim;
  readonly amount: T;
}

export function namedAxes<T>(
  cx: PatternContext,
  x: Value,
  pattern: string,
  amounts: ReadonlyMap<string, T>,
): PatternResult<readonly NamedAmount<T>[]> {
  const side = axesOf(cx, pattern);
  if (isRefused(side)) return side;
  const places = placesOf(side, x, 'the tensor');
  if (isRefused(places)) return places;
  const wrong = checkOnes(cx.facts, places, 0);
  if (wrong) return wrong;
  const found: NamedAmount<T>[] = [];
  for (const [name, amount] of amounts) {
    const place = places.find(({ of }) => of.kind === 'name' && of.name === name);
    if (!place) return refuseUnknown(name, pattern);
    found.push({ name, axis: place.axis, size: place.size, amount });
  }
  return found;
}

/** Returns the index of the starred axis; refuses tensors that differ along other axes. */
function starredAxis(cx: PatternContext, xs: NonEmpty<Value>, pattern: string): PatternResult<number> {
  const side = starredOf(cx, pattern);
  if (isRefused(side)) return side;
  const [first] = xs;
  const rank = first.type.shape.length;
  const axis = starAt(side, rank);
  for (const [input, x] of xs.entries()) {
    const places = placesOf(side, x, xs.length === 1 ? 'the tensor' : `operand ${input + 1}`);
    if (isRefused(places)) return places;
    if (x.type.shape.length !== rank) {
      return refuse({ kind: 'rank', message: `\`${pattern}\` stands for tensors of one rank` });
    }
    const wrong = checkOnes(cx.facts, places, input) ?? checkAgree(cx.facts, first, x, input, axis);
    if (wrong) return wrong;
  }
  return axis;
}

/** The index of the starred axis in a tensor of that rank. */
function starAt({ axes, star }: StarredList, rank: number): number {
  const isRest = ({ kind }: PlainAxis) => kind === 'rest';
  return axes.slice(0, star).some(isRest) ? rank - (axes.length - star) : star;
}

function checkAgree(
  facts: Facts,
  first: Value,
  x: Value,
  input: number,
  except: number | undefined,
): Refused | undefined {
  if (first.type.shape.length !== x.type.shape.length) {
    return refuse({ kind: 'rank', message: 'the tensors have different numbers of axes' });
  }
  const message = `operand ${input + 1} is not as large as the first`;
  for (const [axis, [size, other]] of pairs(x.type.shape, first.type.shape).entries()) {
    if (axis === except || sameDim(facts, size, other)) continue;
    const refused = proveEqual(facts, size, other, message, { input, axis });
    if (refused) return refused;
  }
  return undefined;
}

function checkOnes(facts: Facts, places: readonly Placed[], input: number): Refused | undefined {
  for (const { of, axis, size } of places) {
    if (of.kind !== 'one') continue;
    const message = 'an axis that is written `1` has another size';
    const refused = proveEqual(facts, size, one, message, { input, axis });
    if (refused) return refused;
  }
  return undefined;
}

/** An axis of a tensor and its item in the pattern; all axes of `...` have the same item. */
interface Placed {
  readonly of: PlainAxis;
  readonly axis: number;
  readonly size: Dim;
}

function placesOf(side: Pick<AxisList, 'axes' | 'hasRest'>, x: Value, operand: string): PatternResult<Placed[]> {
  const { shape } = x.type;
  const rest = restCount(side, shape.length, operand);
  if (isRefused(rest)) return rest;
  const all = side.axes.flatMap((of): PlainAxis[] =>
    of.kind === 'rest' ? Array.from({ length: rest }, () => of) : [of],
  );
  return pairs(all, shape).map(([of, size], axis) => ({ of, axis, size }));
}

export function staticDim(facts: Facts, dim: Dim): number | undefined {
  return asConstant(dim) ?? asConstant(facts.normalize(dim));
}
