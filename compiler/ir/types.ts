import type { Dim } from '../dims/dim.ts';

/**
 * Graphs compute in f32, i32 and bool; i64, u8 and f16 are for inputs and outputs. The half-precision pass makes f16 and
 * bf16 (bfloat16: the upper half of an f32, with its range and 8 bits of mantissa), which no source declares.
 */
export type DType = 'f32' | 'i32' | 'bool' | 'i64' | 'u8' | 'f16' | 'bf16';

/** The types of inputs and outputs of models. */
export type PortDType = Exclude<DType, 'bf16'>;

/** The types of half precision. */
export type HalfType = Extract<DType, 'f16' | 'bf16'>;

export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

/**
 * The elements of a constant in row-major order; bools are 0 and 1. Floats are stored as float64 and rounded when
 * emitted.
 */
export interface TensorData {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float64Array | Float32Array | Int32Array | Uint8Array;
}

/** Returns the dtype of an input or output of a model, none of which is bf16. */
export function portDType(dtype: DType): PortDType {
  if (dtype === 'bf16') throw new Error('bug in crobc: a port of bf16');
  return dtype;
}
