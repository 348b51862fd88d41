import type { Dim } from '../../dims/dim.ts';
import { one } from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import { pairs } from '../../lists.ts';
import { arrowOf, emit, type PatternContext } from './context.ts';
import { isRefused, type PatternResult, type Refused, refuseNames } from './fault.ts';
import { type Arrow, hasName } from './pattern.ts';
import { inOrder, regroup, sizesOf } from './regroup.ts';
import {
  type Axis,
  checkGiven,
  elementary,
  isOne,
  mergedShape,
  namesOn,
  type OpenSide,
  open,
  resolve,
  restCount,
  type Sizes,
  sizeOf,
} from './sizes.ts';

/** A pattern with an arrow, applied to one tensor. */
interface BoundArrow {
  readonly left: OpenSide;
  readonly right: OpenSide;
  readonly shape: readonly Dim[];
  readonly axes: readonly Axis[];
  readonly sizes: Sizes;
}

/**
 * Splits, merges and permutes axes: `"b (h p) c -> (b h) p c", p = 4`. Both sides must have the same names. Emits at
 * most one reshape, one transpose and one reshape.
 */
export function rearrange(cx: PatternContext, x: Value, pattern: string, given: Sizes): PatternResult {
  const read = arrowOf(cx, pattern);
  if (isRefused(read)) return read;
  const wrong = requireSame(read, 'rearrange keeps every axis') ?? requireKnown(read, '`repeat` adds axes');
  if (wrong) return wrong;
  const arrow = bind(cx, x, read, pattern, given);
  if (isRefused(arrow)) return arrow;
  const permuted = asPermutation(arrow);
  if (permuted !== undefined) return regroup(cx, x, permuted.axes, permuted.order, permuted.shape);
  return regroup(cx, x, arrow.axes, namesOn(arrow.right), mergedShape(arrow.right, arrow.sizes));
}

/**
 * Like `rearrange`, but the right side may also have new names with given sizes, along which the tensor is repeated.
 */
export function repeat(cx: PatternContext, x: Value, pattern: string, given: Sizes): PatternResult {
  const read = arrowOf(cx, pattern);
  if (isRefused(read)) return read;
  const { left, added } = read;
  const wrong = requireSame(read, '`mean`, `sum` and `max` remove axes');
  if (wrong) return wrong;
  const isNew = new Set<string>();
  for (const axis of added) {
    const size = given.get(axis.name);
    if (size === undefined)
      return refuseNames(`\`${axis.name}\` is new on the right side: give its size, \`${axis.name} = …\``, axis);
    if (!isOne(cx.facts, size)) isNew.add(axis.name);
  }
  const arrow = bind(cx, x, read, pattern, given);
  if (isRefused(arrow)) return arrow;
  const { right, sizes } = arrow;
  const order = namesOn(right).filter((name) => hasName(left, name) || name.startsWith('...'));
  const shape = mergedShape(right, sizes);
  if (isNew.size === 0) return regroup(cx, x, arrow.axes, order, shape);
  // One entry for each axis of the broadcast: the axes as written if none are merged, otherwise each name
  // separately.
  const grouped = right.axes.some(({ names }) => names.length > 1);
  const full = grouped ? namesOn(right) : right.axes.map(({ names: [name] }) => name);
  const wide = full.map((name) => (name === undefined ? one : sizeOf(sizes, name)));
  const isAdded = (name: string | undefined) => name !== undefined && isNew.has(name);
  const before = pairs(full, wide).map(([name, size]) => (isAdded(name) ? one : size));
  // Broadcasting adds leading axes implicitly.
  const front = full.findIndex((name) => !isAdded(name));
  const narrow = regroup(cx, x, arrow.axes, order, before.slice(front < 0 ? before.length : front));
  return emit(cx, 'reshape', [emit(cx, 'broadcast', [narrow], { shape: wide })], { shape });
}

export type Reduction = 'sum' | 'mean' | 'max';

const reductionOps = { sum: 'sum', mean: 'mean', max: 'reduce_max' } as const;

/**
 * Reduces the axes that are missing on the right side: `"b c h w -> c"`; a `1` in place of an axis keeps it with
 * size 1.
 */
export function reduce(cx: PatternContext, kind: Reduction, x: Value, pattern: string, given: Sizes): PatternResult {
  const read = arrowOf(cx, pattern);
  if (isRefused(read)) return read;
  const wrong = requireKnown(read, 'a reduction only removes axes');
  if (wrong) return wrong;
  const arrow = bind(cx, x, read, pattern, given);
  if (isRefused(arrow)) return arrow;
  const order = namesOn(arrow.right);
  const axes = arrow.axes.flatMap(({ name }, axis) => (order.includes(name) ? [] : [axis]));
  const shape = mergedShape(arrow.right, arrow.sizes);
  if (axes.length === 0) return regroup(cx, x, arrow.axes, order, shape);
  if (keepsAxes(arrow)) {
    const reduced = arrow.left.axes.flatMap(({ names: [name] }, axis) =>
      name !== undefined && !order.includes(name) ? [axis] : [],
    );
    return emit(cx, reductionOps[kind], [x], { axes: reduced, keep: true });
  }
  const split = emit(cx, 'reshape', [x], { shape: sizesOf(arrow.axes) });
  const kept = arrow.axes.filter(({ name }) => order.includes(name));
  const reduced = emit(cx, reductionOps[kind], [split], { axes, keep: false });
  return isRefused(reduced) ? reduced : regroup(cx, reduced, kept, order, shape);
}

/** Whether the right side is the left side with `1` for every axis that is reduced. */
function keepsAxes({ left, right }: BoundArrow): boolean {
  return (
    left.axes.length === right.axes.length &&
    pairs(left.axes, right.axes).every(
      ([{ names }, { names: wanted }]) =>
        names.length <= 1 && (wanted.length === 0 || (wanted.length === 1 && wanted[0] === names[0])),
    )
  );
}

function bind(
  cx: PatternContext,
  x: Value,
  { left, right }: Arrow,
  pattern: string,
  given: Sizes,
): PatternResult<BoundArrow> {
  const { shape } = x.type;
  const wrong = checkGiven(cx.facts, [left, right], given, pattern);
  if (wrong) return wrong;
  const rest = restCount(left, shape.length, 'the tensor');
  if (isRefused(rest)) return rest;
  if (right.hasRest && !left.hasRest) return refuseNames('`...` is not on the left side', right);
  const from = open(left, rest);
  const sizes = resolve(cx.facts, [{ side: from, shape }], given);
  if (isRefused(sizes)) return sizes;
  return { left: from, right: open(right, rest), shape, axes: elementary(from, sizes), sizes };
}

/** If both sides have the same axes of size 1 and no groups, these are permuted like the others, without a reshape. */
function asPermutation({ left, right, shape, sizes }: BoundArrow) {
  const from = withOnes(left);
  const order = withOnes(right);
  if (!from || !order || from.length !== order.length || left.axes.every(({ names }) => names.length === 1)) {
    return undefined;
  }
  const axes = pairs(from, shape).map(([name, size]) => ({ name, size: sizes.get(name) ?? size }));
  return { axes, order, shape: sizesOf(inOrder(axes, order)) };
}

/** One name for each axis, with numbered names for axes of size 1; undefined if there is a group. */
function withOnes({ axes }: OpenSide): string[] | undefined {
  let ones = 0;
  if (axes.some(({ names }) => names.length > 1)) return undefined;
  return axes.map(({ names: [name] }) => name ?? `1.${ones++}`);
}

function requireSame({ left, right, removed: [axis] }: Arrow, rule: string): Refused | undefined {
  if (axis) return refuseNames(`\`${axis.name}\` is not on the right side: ${rule}`, axis);
  return left.hasRest && !right.hasRest ? refuseNames(`\`...\` is not on the right side: ${rule}`, left) : undefined;
}

function requireKnown({ added: [axis] }: Arrow, rule: string): Refused | undefined {
  return axis && refuseNames(`\`${axis.name}\` is not on the left side: ${rule}`, axis);
}
