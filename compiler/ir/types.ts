import type { Dim } from '../dims/dim.ts';

/** f32, i32 and bool inside; the others at the borders, and f16 after the half-precision pass. */
export type DType = 'f32' | 'i32' | 'bool' | 'i64' | 'u8' | 'f16';

export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

/** Elements of a constant in row-major order; bool as 0 and 1. Floats are kept in float64 and rounded when emitted. */
export interface TensorData {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float64Array | Float32Array | Int32Array | Uint8Array;
}
