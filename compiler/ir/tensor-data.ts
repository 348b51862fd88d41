import type { DType, TensorData } from './types.ts';

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Allocates storage as the reference kernels do: float64 for floats and i64 (exact to 2^53), int32 for i32, bytes for
 * the rest.
 */
export function storage(dtype: DType, length: number): Float64Array | Int32Array | Uint8Array {
  switch (dtype) {
    case 'f32':
    case 'f16':
    case 'bf16':
    case 'i64':
      return new Float64Array(length);
    case 'i32':
      return new Int32Array(length);
    case 'bool':
    case 'u8':
      return new Uint8Array(length);
  }
}

/** Makes a tensor from plain numbers. Throws if their count does not match the shape. */
export function tensor(dtype: DType, shape: readonly number[], elements: ArrayLike<number>): TensorData {
  if (elements.length !== elementCount(shape))
    throw new Error(`bug in crobc: ${elements.length} elements for a tensor of shape [${shape.join(', ')}]`);
  const data = storage(dtype, elements.length);
  data.set(elements);
  return { dtype, shape, data };
}

export function scalar(dtype: DType, value: number): TensorData {
  return tensor(dtype, [], [value]);
}

/**
 * Returns the value of all elements if they are the same, else undefined. -0 differs from 0, and NaN is never uniform.
 */
export function uniformValue({ data }: TensorData): number | undefined {
  const first = data[0];
  if (first === undefined) return undefined;
  for (let i = 0; i < data.length; i++) if (!Object.is(data[i], first)) return undefined;
  return Number.isNaN(first) ? undefined : first;
}

export type Encoding = 'u8' | 'i32' | 'f32' | 'f64';

/** Returns the elements as little-endian bytes, in the narrowest of four encodings that is exact for all of them. */
export function encodeElements({ data }: TensorData): { encoding: Encoding; bytes: Uint8Array } {
  if (data instanceof Uint8Array) return { encoding: 'u8', bytes: data };
  const encoding = data instanceof Int32Array ? 'i32' : isFloat32(data) ? 'f32' : 'f64';
  const width = encoding === 'f64' ? 8 : 4;
  const bytes = new Uint8Array(data.length * width);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    if (encoding === 'i32') view.setInt32(4 * i, x, true);
    else if (encoding === 'f32') view.setFloat32(4 * i, x, true);
    else view.setFloat64(8 * i, x, true);
  }
  return { encoding, bytes };
}

export function decodeElements(dtype: DType, encoding: Encoding, bytes: Uint8Array): TensorData['data'] {
  const width = encoding === 'u8' ? 1 : encoding === 'f64' ? 8 : 4;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = storage(dtype, bytes.length / width);
  for (let i = 0; i < data.length; i++) {
    if (encoding === 'u8') data[i] = bytes[i]!;
    else if (encoding === 'i32') data[i] = view.getInt32(4 * i, true);
    else if (encoding === 'f32') data[i] = view.getFloat32(4 * i, true);
    else data[i] = view.getFloat64(8 * i, true);
  }
  return data;
}

function isFloat32(data: Float64Array | Float32Array): boolean {
  if (data instanceof Float32Array) return true;
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    if (Math.fround(x) !== x && !Number.isNaN(x)) return false;
  }
  return true;
}
