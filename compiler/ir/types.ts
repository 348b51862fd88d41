import type { Dim } from '../dims/dim.ts';

/**
 * Graphs compute in f32, i32 and bool; the others are for inputs and outputs, and f16 is used after the half-precision
 * pass.
 */
export type DType = 'f32' | 'i32' | 'bool' | 'i64' | 'u8' | 'f16';

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
