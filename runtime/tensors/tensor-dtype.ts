/** Bits per element by safetensors dtype, in the order of the reference implementation's enumeration. */
const bits = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

/** The dtype of a tensor in a file, by its name in safetensors. */
export type TensorDType = keyof typeof bits;

export function isTensorDType(name: string): name is TensorDType {
  return Object.hasOwn(bits, name);
}

export function bytesPerElement(dtype: TensorDType): number {
  return bits[dtype] / 8;
}

/** The dtypes in the order of the reference implementation's enumeration. */
export const tensorDTypes: readonly string[] = Object.keys(bits);
