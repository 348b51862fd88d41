import { type TfType, tfType } from '../../compiler/emit/tfjs/program.ts';
import { UserError } from '../files/user-error.ts';
import type { HostTensor } from '../ort/session.ts';
import type { Tensor, TensorFlow } from './program.ts';

/**
 * Converts a host tensor to TensorFlow.js. 64-bit integers become 32-bit ones; throws a UserError if one does not fit.
 */
export function toTfjs(tf: TensorFlow, name: string, { dtype, shape, data }: HostTensor): Tensor {
  const type: TfType = tfType(dtype);
  return tf.tensor(type === 'int32' ? narrowed(name, data) : (data as Float32Array), [...shape], type);
}

function narrowed(name: string, data: HostTensor['data']): Int32Array {
  if (data instanceof Int32Array) return data;
  const numbers = new Int32Array(data.length);
  for (let i = 0; i < numbers.length; i++) {
    const number = Number(data[i]);
    if (number !== (number | 0)) throw new UserError(`${name} holds ${data[i]}, beyond the 32 bits of TensorFlow.js`);
    numbers[i] = number;
  }
  return numbers;
}
