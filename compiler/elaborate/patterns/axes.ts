import { add, asConstant, type Dim, one, sum, zero } from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import type { Value } from '../../ir/graph.ts';
import { sameDim } from '../../ir/shapes.ts';
import {
  type AxisOf,
  attempt,
  emit,
  type PatternContext,
  type PatternResult,
  proveAtMost,
  proveEqual,
  refuse,
  refuseNames,
} from './fault.ts';
import { type PatternAxis, parseAxes, type Side, sideOf } from './pattern.ts';
import { restCount } from './sizes.ts';

/** One tensor after another along the starred axis: `concat([a, b], "b * d")`. */
export function concat(cx: PatternContext, xs: readonly Value[], pattern: string): PatternResult {
  return attempt(() => {
    const axis = starred(cx.facts, parseAxes(pattern, true), pattern, xs);
    return emit(cx, 'concat', xs, { axis });
  });
}

/** Tensors of one shape along a new axis at the star: `stack([a, b], "* b c")`. */
export function stack(cx: PatternContext, xs: readonly Value[], pattern: string): PatternResult {
  return attempt(() => {
    const side = parseAxes(pattern, true);
    const named = sideOf(
      side.axes.filter((axis) => axis.kind !== 'star'),
      side,
    );
    const first = some(xs);
    for (const [input, x] of xs.entries()) {
      const rest = restCount(named, x.type.shape.length, `operand ${input + 1}`);
      checkOnes(cx.facts, positions(named, rest), x, input);
      checkAgree(cx.facts, first, x, input, undefined);
    }
    const rest = restCount(named, first.type.shape.length, 'operand 1');
    const axis = positions(side, rest).indexOf('*');
    const slabs = xs.map((x) => {
      const shape = x.type.shape;
      return emit(cx, 'reshape', [x], { shape: [...shape.slice(0, axis), one, ...shape.slice(axis)] });
    });
    return emit(cx, 'concat', slabs, { axis });
  });
}

/** Parts of the given sizes along the starred axis, which they fill. */
export function split(
  cx: PatternContext,
  x: Value,
  pattern: string,
  sizes: readonly Dim[],
): PatternResult<readonly Value[]> {
  return attempt(() => {
    const { facts } = cx;
    const axis = starred(facts, parseAxes(pattern, true), pattern, [x]);
    const of = { input: 0, axis };
    for (const size of sizes) proveAtMost(facts, one, size, 'the size of a part must be at least 1', of);
    const whole = x.type.shape[axis]!;
    proveEqual(facts, whole, sum(sizes), 'the sizes of the parts do not add up to the axis', of);
    let start: Dim = zero;
    return sizes.map((size, part) => {
      const from = start;
      start = part === sizes.length - 1 ? whole : add(start, size);
      return sliceAxis(cx, x, axis, from, start);
    });
  });
}

/** Elements `start` to before `stop` of one axis. */
export function sliceAxis(cx: PatternContext, x: Value, axis: number, start: Dim, stop: Dim): Value {
  const { shape } = x.type;
  return emit(cx, 'slice', [x], {
    start: shape.map((_, other) => (other === axis ? start : zero)),
    stop: shape.map((size, other) => (other === axis ? stop : size)),
    step: shape.map(() => 1),
  });
}

/** `value` before and after named axes: `pad(x, "b h w c", h = (0, 2))`. The amounts are proved not to be negative. */
export function pad(
  cx: PatternContext,
  x: Value,
  pattern: string,
  amounts: ReadonlyMap<string, readonly [Dim, Dim]>,
  value: number,
): PatternResult {
  return attempt(() => {
    const at = namedAxes(cx.facts, x, pattern, amounts.keys());
    const low: Dim[] = x.type.shape.map(() => zero);
    const high = low.slice();
    for (const [name, [before, after]] of amounts) {
      const of = { input: 0, axis: at.get(name)! };
      for (const amount of [before, after]) {
        proveAtMost(cx.facts, zero, amount, `the padding of the axis \`${name}\` must be 0 or more`, of);
      }
      low[of.axis] = before;
      high[of.axis] = after;
    }
    return emit(cx, 'pad', [x], { low, high, value });
  });
}

/** An operator along the starred axis, `softmax(x, "b * n")`, or along the last one where there is no pattern. */
export function alongAxis(
  cx: PatternContext,
  op: 'softmax' | 'log_softmax',
  x: Value,
  pattern: string | null,
): PatternResult {
  return attempt(() => {
    const last = x.type.shape.length - 1;
    const axis = pattern === null ? last : starred(cx.facts, parseAxes(pattern, true), pattern, [x]);
    return emit(cx, op, [x], { axis });
  });
}

/** The number of each axis that is asked for by name. */
export function namedAxes(
  facts: Facts,
  x: Value,
  pattern: string,
  names: Iterable<string>,
): ReadonlyMap<string, number> {
  const side = parseAxes(pattern, false);
  const places = positions(side, restCount(side, x.type.shape.length, 'the tensor'));
  checkOnes(facts, places, x, 0);
  const found = new Map<string, number>();
  for (const name of names) {
    const axis = places.indexOf(name);
    if (axis < 0) refuseNames(`the pattern has no axis \`${name}\``, { at: 0, length: pattern.length });
    found.set(name, axis);
  }
  return found;
}

function some(xs: readonly Value[]): Value {
  const [first] = xs;
  if (first === undefined) refuse({ kind: 'rank', message: 'there is no tensor to join' });
  return first;
}

/** The starred axis of tensors that agree along the others. */
function starred(facts: Facts, side: Side, pattern: string, xs: readonly Value[]): number {
  const first = some(xs);
  let axis = -1;
  for (const [input, x] of xs.entries()) {
    const operand = xs.length === 1 ? 'the tensor' : `operand ${input + 1}`;
    const places = positions(side, restCount(side, x.type.shape.length, operand));
    if (input > 0 && x.type.shape.length !== first.type.shape.length) {
      refuse({ kind: 'rank', message: `\`${pattern}\` stands for tensors of one rank` });
    }
    axis = places.indexOf('*');
    checkOnes(facts, places, x, input);
    checkAgree(facts, first, x, input, axis);
  }
  return axis;
}

function checkAgree(facts: Facts, first: Value, x: Value, input: number, except: number | undefined): void {
  if (first.type.shape.length !== x.type.shape.length) {
    refuse({ kind: 'rank', message: 'the tensors have different numbers of axes' });
  }
  for (const [axis, dim] of x.type.shape.entries()) {
    if (axis === except || sameDim(facts, dim, first.type.shape[axis]!)) continue;
    proveEqual(facts, dim, first.type.shape[axis]!, `operand ${input + 1} is not as large as the first`, {
      input,
      axis,
    });
  }
}

function checkOnes(facts: Facts, places: readonly string[], x: Value, input: number): void {
  for (const [axis, place] of places.entries()) {
    const of: AxisOf = { input, axis };
    if (place === '1') proveEqual(facts, x.type.shape[axis]!, one, 'an axis that is written `1` has another size', of);
  }
}

/** What stands for each axis of the tensor: a name, `1`, `*`, or `...`. */
function positions(side: Side, rest: number): string[] {
  return side.axes.flatMap((axis) => (axis.kind === 'rest' ? Array.from({ length: rest }, () => '...') : [word(axis)]));
}

function word(axis: PatternAxis): string {
  switch (axis.kind) {
    case 'name':
      return axis.name;
    case 'one':
      return '1';
    case 'star':
      return '*';
    default:
      throw new Error(`bug in crobc: a ${axis.kind} in a pattern without an arrow`);
  }
}

export function staticDim(facts: Facts, dim: Dim): number | undefined {
  return asConstant(dim) ?? asConstant(facts.normalize(dim));
}
