import type { Dim } from '../../dims/dim.ts';
import { one } from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import { attempt, emit, type PatternContext, type PatternResult, refuseNames } from './fault.ts';
import { type Arrow, hasName, parseArrow } from './pattern.ts';
import { inOrder, regroup, sizesOf } from './regroup.ts';
import {
  type Axis,
  checkGiven,
  elementary,
  isOne,
  mergedShape,
  type OpenSide,
  open,
  resolve,
  restCount,
  type Sizes,
} from './sizes.ts';

/** A pattern with an arrow, read against one tensor. */
interface BoundArrow {
  readonly left: OpenSide;
  readonly right: OpenSide;
  readonly axes: readonly Axis[];
  readonly sizes: Sizes;
}

/**
 * Axes split, merged and permuted: `"b (h p) c -> (b h) p c", p = 4`. Both sides have the same names.
 * At most one reshape, one transpose and one reshape.
 */
export function rearrange(cx: PatternContext, x: Value, pattern: string, given: Sizes): PatternResult {
  return attempt(() => {
    const read = parseArrow(pattern);
    requireSame(read, 'rearrange keeps every axis');
    requireKnown(read, '`repeat` adds axes');
    const arrow = bind(cx, x, read, pattern, given);
    const permuted = asPermutation(arrow, x);
    if (permuted !== undefined) return regroup(cx, x, permuted.axes, permuted.order, permuted.shape);
    return regroup(cx, x, arrow.axes, arrow.right.axes.flat(), mergedShape(arrow.right, arrow.sizes));
  });
}

/** `rearrange` whose right side may also have names of given sizes, along which the tensor is repeated. */
export function repeat(cx: PatternContext, x: Value, pattern: string, given: Sizes): PatternResult {
  return attempt(() => {
    const read = parseArrow(pattern);
    const { left, added } = read;
    requireSame(read, '`mean`, `sum` and `max` remove axes');
    for (const axis of added) {
      if (!given.has(axis.name)) {
        refuseNames(`\`${axis.name}\` is new on the right side: give its size, \`${axis.name} = …\``, axis);
      }
    }
    const arrow = bind(cx, x, read, pattern, given);
    const isNew = new Set(added.map(({ name }) => name).filter((name) => !isOne(cx.facts, given.get(name)!)));
    const order = arrow.right.axes.flat().filter((name) => hasName(left, name) || name.startsWith('...'));
    const shape = mergedShape(arrow.right, arrow.sizes);
    if (isNew.size === 0) return regroup(cx, x, arrow.axes, order, shape);
    // One entry for each axis of the broadcast: as written where nothing is merged, else every name by itself.
    const grouped = arrow.right.axes.some((names) => names.length > 1);
    const full = grouped ? arrow.right.axes.flat().map((name) => [name]) : arrow.right.axes;
    const size = ([name]: readonly string[]) => (name === undefined ? one : arrow.sizes.get(name)!);
    const before = full.map((names) => (names[0] !== undefined && isNew.has(names[0]) ? one : size(names)));
    // Broadcasting adds axes in front by itself.
    const front = full.findIndex((names) => names[0] === undefined || !isNew.has(names[0]));
    const narrow = regroup(cx, x, arrow.axes, order, before.slice(front < 0 ? before.length : front));
    const wide = emit(cx, 'broadcast', [narrow], { shape: full.map(size) });
    return emit(cx, 'reshape', [wide], { shape });
  });
}

export type Reduction = 'sum' | 'mean' | 'max';

const reductionOps = { sum: 'sum', mean: 'mean', max: 'reduce_max' } as const;

/** Reduces the axes that the right side leaves out: `"b c h w -> c"`; a `1` in an axis's place keeps it. */
export function reduce(cx: PatternContext, kind: Reduction, x: Value, pattern: string, given: Sizes): PatternResult {
  return attempt(() => {
    const read = parseArrow(pattern);
    requireKnown(read, 'a reduction only removes axes');
    const arrow = bind(cx, x, read, pattern, given);
    const order = arrow.right.axes.flat();
    const axes = arrow.axes.flatMap(({ name }, axis) => (order.includes(name) ? [] : [axis]));
    const shape = mergedShape(arrow.right, arrow.sizes);
    if (axes.length === 0) return regroup(cx, x, arrow.axes, order, shape);
    if (keepsAxes(arrow)) {
      const reduced = arrow.left.axes.flatMap(([name], axis) =>
        name !== undefined && !order.includes(name) ? [axis] : [],
      );
      return emit(cx, reductionOps[kind], [x], { axes: reduced, keep: true });
    }
    const split = emit(cx, 'reshape', [x], { shape: sizesOf(arrow.axes) });
    const kept = arrow.axes.filter(({ name }) => order.includes(name));
    return regroup(cx, emit(cx, reductionOps[kind], [split], { axes, keep: false }), kept, order, shape);
  });
}

/** Whether the right side is the left side with `1` for every axis that is reduced. */
function keepsAxes({ left, right }: BoundArrow): boolean {
  return (
    left.axes.length === right.axes.length &&
    left.axes.every((names, axis) => {
      const wanted = right.axes[axis]!;
      return names.length <= 1 && (wanted.length === 0 || (wanted.length === 1 && wanted[0] === names[0]));
    })
  );
}

function bind(cx: PatternContext, x: Value, { left, right }: Arrow, pattern: string, given: Sizes): BoundArrow {
  checkGiven(cx.facts, [left, right], given, pattern);
  const rest = restCount(left, x.type.shape.length, 'the tensor');
  if (right.hasRest && !left.hasRest) refuseNames('`...` is not on the left side', right);
  const from = open(left, rest);
  const sizes = resolve(cx.facts, [from], [x.type.shape], given);
  return { left: from, right: open(right, rest), axes: elementary(from, sizes), sizes };
}

/** Where both sides have the same axes of size 1 and no groups, those move like the others: no reshape is needed. */
function asPermutation({ left, right, sizes }: BoundArrow, x: Value) {
  const from = withOnes(left);
  const to = withOnes(right);
  if (from === undefined || to === undefined || from.length !== to.length || left.axes.every((a) => a.length === 1)) {
    return undefined;
  }
  const size = (name: string): Dim => sizes.get(name) ?? one;
  const axes = from.map((name, axis) => ({ name, size: sizes.has(name) ? size(name) : x.type.shape[axis]! }));
  return { axes, order: to, shape: sizesOf(inOrder(axes, to)) };
}

/** One name for each axis, numbered ones included; undefined where there is a group. */
function withOnes({ axes }: OpenSide): string[] | undefined {
  let ones = 0;
  if (axes.some((names) => names.length > 1)) return undefined;
  return axes.map(([name]) => name ?? `1.${ones++}`);
}

function requireSame({ left, right, removed: [axis] }: Arrow, rule: string): void {
  if (axis) refuseNames(`\`${axis.name}\` is not on the right side: ${rule}`, axis);
  if (left.hasRest && !right.hasRest) refuseNames(`\`...\` is not on the right side: ${rule}`, left);
}

function requireKnown({ added: [axis] }: Arrow, rule: string): void {
  if (axis) refuseNames(`\`${axis.name}\` is not on the left side: ${rule}`, axis);
}
