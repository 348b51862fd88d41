import type { NodeOf } from '../../ir/graph.ts';
import { conv2d, conv2dDx } from './convolution.ts';
import { conv2dDw } from './convolution-weight-gradient.ts';
import type { Emission } from './emission.ts';
import { inputOf, type Lowering } from './lowering.ts';
import { int } from './model.ts';
import { broadcastOperands } from './operands.ts';

const matmul: Lowering<'matmul'> = (node, emission) => [emission.node('MatMul', broadcastOperands(node, emission, 2))];

const reduction = (op: string) => (node: NodeOf<'sum' | 'reduce_max' | 'mean'>, emission: Emission) => {
  const { axes, keep } = node.attributes;
  const inputs = [emission.use(inputOf(node, 0)), emission.i64(axes)];
  return [emission.node(op, inputs, keep ? {} : { keepdims: int(0) })];
};

/** Equal elements come in the order of their indices, which are i64. */
const topk: Lowering<'topk'> = (node, emission) => {
  const inputs = [emission.use(inputOf(node, 0)), emission.i64([node.attributes.k])];
  const [values, index] = emission.results('TopK', inputs, {}, 2);
  emission.nameForm(node.outputs[1]!, { kind: 'i64', name: index! });
  return [values, undefined];
};

/** Operators that fold axes. */
export const contract = {
  matmul,
  conv2d,
  conv2d_dx: conv2dDx,
  conv2d_dw: conv2dDw,
  sum: reduction('ReduceSum'),
  reduce_max: reduction('ReduceMax'),
  mean: reduction('ReduceMean'),
  topk,
};
