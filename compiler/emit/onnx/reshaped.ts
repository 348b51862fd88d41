import type { Dim } from '../../dims/dim.ts';
import { sameShape } from '../../ir/shapes.ts';
import type { Emission } from './emission.ts';
import { reshapePlan } from './reshape-target.ts';

/** The tensor under another shape: one node, or none where it is the same shape. */
export function reshaped(emission: Emission, x: string, from: readonly Dim[], to: readonly Dim[]): string {
  if (sameShape(emission.facts, from, to)) return x;
  const plan = reshapePlan(emission.facts, from, to);
  if (plan.op !== 'Reshape') return emission.node(plan.op, [x, emission.i64(plan.axes)]);
  return emission.node('Reshape', [x, emission.dims.vector(plan.target)]);
}
