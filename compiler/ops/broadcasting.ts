import type { Dim } from '../dims/dim.ts';
import { type AxisOf, type Obligations, provedEqual, provedOne } from './typing.ts';

export const broadcastConstraint =
  'By trailing alignment, the sizes of an axis are proved equal, or one of them is proved to be 1.';

/**
 * Returns the common shape of several inputs by trailing alignment. It is a fault if two dims are neither proved equal
 * nor proved to broadcast. `inputs[i]` is the position of the operand `shapes[i]` among the operator's inputs.
 */
export function broadcastShapes(
  prove: Obligations,
  shapes: readonly (readonly Dim[])[],
  inputs: readonly number[] = shapes.map((_, i) => i),
): Dim[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result: Dim[] = [];
  for (let axis = 0; axis < rank; axis++) {
    let common: { readonly dim: Dim; readonly from: AxisOf } | undefined;
    for (let i = 0; i < shapes.length; i++) {
      const shape = shapes[i]!;
      const own = axis - (rank - shape.length);
      const dim = shape[own];
      if (dim === undefined) continue;
      if (common?.dim.key === dim.key) continue;
      const from = { input: inputs[i] ?? i, axis: own };
      if (common === undefined || provedOne(prove.facts, common.dim)) common = { dim, from };
      else if (!provedEqual(prove.facts, common.dim, dim) && !provedOne(prove.facts, dim))
        prove.disagree(common.dim, dim, broadcastConstraint, [common.from, from]);
    }
    if (common !== undefined) result.push(common.dim);
  }
  return result;
}
