import { constant, one } from '../../dims/dim.ts';
import { tensor } from '../../ir/tensor-data.ts';
import { conv2d, conv2dDx } from './convolution.ts';
import { conv2dDw } from './convolution-weight-gradient.ts';
import type { Lowering } from './lowering.ts';
import { tensorOf } from './model.ts';
import { broadcastOperands, namesOf } from './operands.ts';
import { maximum, staged } from './reduction.ts';
import { known } from './reshape-target.ts';
import { matmulOfRows } from './rows.ts';

const matmul: Lowering<'matmul'> = (node, emission) =>
  matmulOfRows(node, emission) ?? [
    emission.node('MatMul', namesOf(broadcastOperands(node, emission, 2)), node.outputs[0].type),
  ];

/**
 * The mean over the rows of [..., n, C] is computed as the product of a row of 1/n with them. onnxruntime's CPU kernel
 * of ReduceMean along an axis before the last takes ten times as long (1.30; 14,400 rows of 128: 7 ms against 0.5 ms).
 * f16 is excluded, because it is too imprecise for 1/n.
 */
const mean: Lowering<'mean'> = (node, emission) => {
  const { axes, keep } = node.attributes;
  const { dtype, shape } = node.inputs[0].type;
  const rows = shape.length - 2;
  const n = axes.length === 1 && axes[0] === rows ? known(emission.facts, shape[rows]!) : undefined;
  if (n === undefined || dtype !== 'f32' || emission.allowed.wholeSums) return staged('ReduceMean')(node, emission);
  const part = { value: tensorOf(tensor('f32', [1], [1 / n])) };
  const row = { dtype, shape: [one, constant(n)] };
  const weights = emission.shared('ConstantOfShape', [emission.i64([1, n])], row, part);
  const kept = [...shape.slice(0, rows), one, shape[rows + 1]!];
  const name = emission.node('MatMul', [weights, emission.use(node.inputs[0])], { dtype, shape: kept });
  if (keep) return [name];
  emission.nameForm(node.outputs[0], { kind: 'reshaped', name, shape: kept });
  return [undefined];
};

/** ONNX's TopK orders equal elements by index, too. Its indices are i64. */
const topk: Lowering<'topk'> = (node, emission) => {
  const inputs = [emission.use(node.inputs[0]), emission.i64([node.attributes.k])];
  const { type } = node.outputs[0];
  const [values, index] = emission.results('TopK', inputs, [type, { dtype: 'i64', shape: type.shape }]);
  emission.nameForm(node.outputs[1]!, { kind: 'i64', name: index! });
  return [values, undefined];
};

/** Reductions, matrix products and convolutions. */
export const contract = {
  matmul,
  conv2d,
  conv2d_dx: conv2dDx,
  conv2d_dw: conv2dDw,
  sum: staged('ReduceSum'),
  reduce_max: maximum,
  mean,
  topk,
};
