import { type Dim, one } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { Builder } from '../graphs/builder.ts';
import type { Value } from '../ir/graph.ts';
import { sameDim } from '../ir/shapes.ts';
import { provedOne } from '../ops/typing.ts';

/** Sums dy over the axes along which an operand of `shape` was broadcast; returns a value of `shape`. */
export function sumTo(build: Builder, dy: Value, shape: readonly Dim[]): Value {
  const from = dy.type.shape;
  const added = from.length - shape.length;
  const axes = from.flatMap((size, axis) =>
    axis < added || wasRepeated(build.facts, shape[axis - added]!, size) ? [axis] : [],
  );
  const summed = axes.length === 0 ? dy : build.sum(dy, axes, added === 0);
  return build.reshape(summed, shape);
}

function wasRepeated(facts: Facts, own: Dim, to: Dim): boolean {
  return !sameDim(facts, own, to) && provedOne(facts, own);
}

/** Reshapes a value that was reduced along `axes` of `shape`, so that these axes have size 1. */
export function keptAxes(build: Builder, reduced: Value, shape: readonly Dim[], axes: readonly number[]): Value {
  return build.reshape(
    reduced,
    shape.map((size, axis) => (axes.includes(axis) ? one : size)),
  );
}
