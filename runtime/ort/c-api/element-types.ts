import type { DType } from '../../../compiler/ir/types.ts';
import type { HostTensor } from '../session.ts';

/** ONNXTensorElementDataType of each type. */
const numbers = { f32: 1, u8: 2, i32: 6, i64: 7, bool: 9, f16: 10 } as const satisfies Readonly<Record<DType, number>>;

const arrays = {
  f32: Float32Array,
  u8: Uint8Array,
  i32: Int32Array,
  i64: BigInt64Array,
  bool: Uint8Array,
  f16: Uint16Array,
} as const satisfies Readonly<Record<DType, unknown>>;

export function elementNumber(dtype: DType): number {
  return numbers[dtype];
}

/** Undefined for a type that crobc does not use. */
export function elementDType(number: number): DType | undefined {
  for (const [dtype, known] of Object.entries(numbers)) if (known === number) return dtype as DType;
  return undefined;
}

/** A copy of bytes as elements of a type. */
export function elementsOf(dtype: DType, bytes: Uint8Array): HostTensor['data'] {
  return new arrays[dtype](bytes.slice().buffer);
}

export function elementSize(dtype: DType): number {
  return arrays[dtype].BYTES_PER_ELEMENT;
}

/** Whether an array is one for elements of this type. */
export function holdsElements(dtype: DType, data: unknown): boolean {
  return data instanceof arrays[dtype];
}
