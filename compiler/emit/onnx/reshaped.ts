import type { Dim } from '../../dims/dim.ts';
import { sameShape } from '../../ir/shapes.ts';
import type { TensorType } from '../../ir/types.ts';
import type { NodeWriter } from './node-writer.ts';
import { reshapePlan } from './reshape-target.ts';
import type { ShapeArithmetic } from './shape-arithmetic.ts';

/** Reshapes a tensor of type `from`: emits one node, or none if the shape is the same. */
export function reshaped(
  emission: NodeWriter & { readonly dims: ShapeArithmetic },
  x: string,
  from: TensorType,
  to: readonly Dim[],
): string {
  if (sameShape(emission.facts, from.shape, to)) return x;
  const plan = reshapePlan(emission.facts, from.shape, to);
  const shape = plan.op === 'Reshape' ? emission.dims.vector(plan.target) : emission.i64(plan.axes);
  return emission.node(plan.op, [x, shape], { dtype: from.dtype, shape: to });
}
