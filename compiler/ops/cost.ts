import { add, constant, type Dim, mul, product, sum, zero } from '../dims/dim.ts';
import type { DType, TensorType } from '../ir/types.ts';
import type { Cost } from './row.ts';

const width: Record<DType, number> = { f32: 4, i32: 4, bool: 1, i64: 8, u8: 1, f16: 2, bf16: 2 };

export function elements(type: TensorType): Dim {
  return product(type.shape);
}

export function bytes(type: TensorType): Dim {
  return mul(constant(width[type.dtype]), elements(type));
}

/** The bytes moved if every input is read once and every output is written once. */
export function traffic(inputs: readonly TensorType[], outputs: readonly TensorType[]): Dim {
  return add(sum(inputs.map(bytes)), sum(outputs.map(bytes)));
}

export const free: Cost = { flops: zero, bytes: zero };

/** The cost of an operator that moves data and computes nothing. */
export function movement(inputs: readonly TensorType[], outputs: readonly TensorType[]): Cost {
  return { flops: zero, bytes: traffic(inputs, outputs) };
}

/** The cost of a fixed number of operations per element of `per`, which is the first input or the first output. */
export function perElement(
  operations: number,
  per: TensorType,
  inputs: readonly TensorType[],
  outputs: readonly TensorType[],
): Cost {
  return { flops: mul(constant(operations), elements(per)), bytes: traffic(inputs, outputs) };
}
