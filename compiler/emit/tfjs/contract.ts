import type { NodeOf, Value } from '../../ir/graph.ts';
import { elementCount } from '../../ir/tensor-data.ts';
import { broadcastSizes } from './axes.ts';
import { conv2d, conv2dDw, conv2dDx } from './convolution.ts';
import type { Emission } from './emission.ts';
import { product, reduce } from './folds.ts';
import type { Lowering } from './lowering.ts';
import type { Temp } from './program.ts';

/**
 * If both operands repeat along an axis, or one repeats along an axis that the other lacks, the product is computed
 * once and then repeated.
 */
const matmul: Lowering<'matmul'> = (node, emission) => {
  const [a, b] = [matrices(node.inputs[0], emission), matrices(node.inputs[1], emission)];
  const batch = broadcastSizes([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  const shape = [...batch, a.shape.at(-2)!, b.shape.at(-1)!];
  return [emission.expand(emission.reshape(product(emission, a, b), shape), emission.shape(node.outputs[0]))];
};

/** Returns a value without repetition along its leading axes, because a matrix product broadcasts them itself. */
function matrices(value: Value, emission: Emission): Temp {
  const from = value.node.op === 'broadcast' ? value.node.inputs[0] : undefined;
  if (from === undefined || from.type.shape.length < 2) return emission.use(value);
  const [own, whole] = [emission.shape(from), emission.shape(value)];
  return own.slice(-2).join() === whole.slice(-2).join() ? matrices(from, emission) : emission.use(value);
}

const reduction =
  (fn: 'sum' | 'max' | 'mean') =>
  (node: NodeOf<'sum' | 'reduce_max' | 'mean'>, emission: Emission): Temp[] => {
    const { axes } = node.attributes;
    const reduced = reduce(emission, fn, emission.use(node.inputs[0]), axes);
    return [emission.reshape(reduced, emission.shape(node.outputs[0]))];
  };

const topk: Lowering<'topk'> = (node, emission) => {
  const x = emission.use(node.inputs[0]);
  const { k } = node.attributes;
  const n = x.shape.at(-1)!;
  const rows = elementCount(x.shape) / n;
  const results = emission.pair('topk', [emission.reshape(x, [rows, n]), k], [rows, k], [x.dtype, 'int32']);
  return results.map((result, i) => emission.reshape(result, emission.shape(node.outputs[i]!)));
};

/** Reductions, matrix products and convolutions. */
export const contract = {
  matmul,
  conv2d,
  conv2d_dx: conv2dDx,
  conv2d_dw: conv2dDw,
  sum: reduction('sum'),
  reduce_max: reduction('max'),
  mean: reduction('mean'),
  topk,
};
