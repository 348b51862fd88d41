import { endianness } from 'node:os';
import type { DType } from '../../compiler/ir/types.ts';
import { bfloat16FromFloat32, halfFromFloat32 } from './half.ts';

type Elements = Float64Array | Float32Array | Int32Array | Uint8Array;

/** Bytes per element in files. */
export const elementBytes: Readonly<Record<DType, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  i32: 4,
  i64: 8,
  u8: 1,
  bool: 1,
};

/**
 * Encodes elements as little-endian bytes of a dtype. Floats are rounded to nearest;
 * for other dtypes, elements must be integers.
 */
export function tensorBytes(dtype: DType, elements: Elements): Uint8Array {
  if (endianness() !== 'LE') throw new Error('bug in crobc: files are written on little-endian machines only');
  const typed = convert(dtype, elements);
  return new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength);
}

function convert(dtype: DType, elements: Elements): ArrayBufferView {
  switch (dtype) {
    case 'f32':
      return elements instanceof Float32Array ? elements : Float32Array.from(elements);
    case 'f16':
      return halfFromFloat32(elements instanceof Float32Array ? elements : Float32Array.from(elements));
    case 'bf16':
      return bfloat16FromFloat32(elements instanceof Float32Array ? elements : Float32Array.from(elements));
    case 'i32':
      return elements instanceof Int32Array ? elements : Int32Array.from(elements);
    case 'i64':
      return BigInt64Array.from(elements as ArrayLike<number> as number[], BigInt);
    case 'u8':
    case 'bool':
      return elements instanceof Uint8Array ? elements : Uint8Array.from(elements);
  }
}
