import { product } from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import type { DType } from '../../ir/types.ts';
import { toAttribute } from './element-types.ts';
import type { Emission } from './emission.ts';
import type { Lowering } from './lowering.ts';

/**
 * The product of x and a 1 that is made of the signal: the same bits, by one kernel. onnxruntime neither knows that the
 * factor is 1, so that it would drop the product, nor finds the product elsewhere in the graph. It merges reshapes, whatever
 * their shapes depend on (1.30); and a broadcast to a shape that is made of the signal would need numbers from the device,
 * which a CUDA graph cannot wait for.
 */
export const barrier: Lowering<'barrier'> = (node, emission) => {
  const [x, signal] = node.inputs;
  const { type } = x;
  const name = emission.use(x);
  switch (type.dtype) {
    case 'bool':
      return [emission.node('And', [name, oneOf(signal, 'bool', emission)], type)];
    case 'u8':
      return [emission.node('Where', [oneOf(signal, 'bool', emission), name, name], type)];
    default:
      return [emission.node('Mul', [name, oneOf(signal, type.dtype, emission)], type)];
  }
};

/** Returns 1 (true) as a scalar: the first element of the signal to the power of 0, also where it is infinite or no number. */
function oneOf(signal: Value, dtype: DType, emission: Emission): string {
  const once = (op: string, inputs: readonly string[], to: DType, shape = [] as const, attributes = {}) =>
    emission.shared(op, inputs, { dtype: to, shape }, attributes, 'barrier/');
  const { dtype: from, shape } = signal.type;
  const flat = { dtype: from, shape: [product(shape)] };
  const all = emission.shared('Reshape', [emission.use(signal), emission.i64([-1])], flat, {}, 'barrier/');
  const first = once('Gather', [all, emission.i64Scalar(0)], from);
  const number = from === 'f32' ? first : once('Cast', [first], 'f32', [], toAttribute('f32'));
  const power = once('Pow', [number, emission.number(0, 'f32')], 'f32');
  return dtype === 'f32' ? power : once('Cast', [power], dtype, [], toAttribute(dtype));
}
