import { type Dim, product } from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import type { Value } from '../../ir/graph.ts';
import { sameShape } from '../../ir/shapes.ts';
import { emit, type PatternContext } from './context.ts';
import type { PatternResult } from './fault.ts';
import { type Axis, isOne } from './sizes.ts';

/**
 * Splits `x` into the elementary axes `from`, permutes them to `order` and reshapes to `shape`: reshape, transpose,
 * reshape, each omitted if it changes nothing. Axes of size 1 move without a transpose.
 */
export function regroup(
  cx: PatternContext,
  x: Value,
  from: readonly Axis[],
  order: readonly string[],
  shape: readonly Dim[],
): PatternResult {
  const { facts } = cx;
  if (keepsOrder(facts, from, order)) return emit(cx, 'reshape', [x], { shape });
  const split = !sameShape(facts, x.type.shape, sizesOf(from));
  const merge = !sameShape(facts, shape, sizesOf(inOrder(from, order)));
  // Between two reshapes the transpose can have any rank: the lowest suits all back ends best.
  const [axes, blocks] = split && merge ? coalesce(facts, from, order) : [from, order];
  const perm = blocks.map((name) => axes.findIndex((axis) => axis.name === name));
  const taken = emit(cx, 'reshape', [x], { shape: sizesOf(axes) });
  return emit(cx, 'reshape', [emit(cx, 'transpose', [taken], { perm })], { shape });
}

/** Whether the order is unchanged, ignoring axes of size 1. */
export function keepsOrder(facts: Facts, from: readonly Axis[], order: readonly string[]): boolean {
  const moving = from.filter(({ size }) => !isOne(facts, size)).map(({ name }) => name);
  const wanted = order.filter((name) => moving.includes(name));
  return moving.every((name, i) => name === wanted[i]);
}

export function inOrder(axes: readonly Axis[], order: readonly string[]): Axis[] {
  return order.map((name) => {
    const axis = axes.find((candidate) => candidate.name === name);
    if (axis === undefined) throw new Error(`bug in crobc: no axis ${name}`);
    return axis;
  });
}

export function sizesOf(axes: readonly Axis[]): Dim[] {
  return axes.map(({ size }) => size);
}

/** Drops axes of size 1 and merges axes that remain adjacent; each block has the name of its first axis. */
function coalesce(facts: Facts, from: readonly Axis[], order: readonly string[]): [Axis[], string[]] {
  const kept = from.filter(({ size }) => !isOne(facts, size));
  const target = order.filter((name) => kept.some((axis) => axis.name === name));
  const blocks: [Axis, ...Axis[]][] = [];
  let joined: string | undefined;
  for (const axis of kept) {
    const block = blocks.at(-1);
    if (block !== undefined && target[target.indexOf(axis.name) - 1] === joined) block.push(axis);
    else blocks.push([axis]);
    joined = axis.name;
  }
  const axes = blocks.map((block) => ({ name: block[0].name, size: product(sizesOf(block)) }));
  return [axes, target.filter((name) => axes.some((axis) => axis.name === name))];
}
