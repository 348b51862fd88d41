import { encodeBase64 } from '../../ir/base64.ts';
import { uniformValue } from '../../ir/tensor-data.ts';
import type { TensorData } from '../../ir/types.ts';
import type { Temp } from './program.ts';

/** Constants of up to this many elements are written as numbers. */
export const mostListed = 32;

const arrays = { float32: 'Float32Array', int32: 'Int32Array', bool: 'Uint8Array' } as const;

/** Returns an expression that creates a constant. */
export function constantText(tensor: TensorData, { shape, dtype }: Temp): string {
  const sizes = `[${shape.join(', ')}]`;
  const value = uniformValue(tensor);
  if (value !== undefined && dtype !== 'bool') return `tf.fill(${sizes}, ${number(value)}, '${dtype}')`;
  const elements =
    tensor.data.length <= mostListed
      ? `${arrays[dtype]}.of(${Array.from(tensor.data, number).join(', ')})`
      : `new ${arrays[dtype]}(decoded('${encodeBase64(bytesOf(tensor, dtype))}'))`;
  return `tf.tensor(${elements}, ${sizes}, '${dtype}')`;
}

function number(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Returns the bytes in little-endian order, as on every machine that runs JavaScript. */
function bytesOf({ data }: TensorData, dtype: Temp['dtype']): Uint8Array {
  if (dtype === 'bool') return Uint8Array.from(data);
  const bytes = new Uint8Array(4 * data.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of data.entries())
    if (dtype === 'float32') view.setFloat32(4 * i, value, true);
    else view.setInt32(4 * i, value, true);
  return bytes;
}
