import type { PortDType } from '../../../compiler/ir/types.ts';
import { arrays } from '../elements.ts';
import type { HostTensor } from '../host-tensor.ts';

/** ONNXTensorElementDataType of each type. */
const numbers = { f32: 1, u8: 2, i32: 6, i64: 7, bool: 9, f16: 10 } as const satisfies Readonly<
  Record<PortDType, number>
>;

export function elementNumber(dtype: PortDType): number {
  return numbers[dtype];
}

/** Undefined for a type that crobc does not use. */
export function elementDType(number: number): PortDType | undefined {
  for (const [dtype, known] of Object.entries(numbers)) if (known === number) return dtype as PortDType;
  return undefined;
}

/** The name of a type that crobc does not use. */
export function elementName(number: number): string {
  return otherNames[number] ?? `number ${number}`;
}

const otherNames: Readonly<Record<number, string>> = {
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  8: 'string',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  21: 'uint4',
  22: 'int4',
};

/** A copy of bytes as elements of a type. */
export function elementsOf(dtype: PortDType, bytes: Uint8Array): HostTensor['data'] {
  return new arrays[dtype](bytes.slice().buffer);
}

/** The elements of a type in a buffer. */
export function elementsOn(dtype: PortDType, buffer: ArrayBuffer): HostTensor['data'] {
  return new arrays[dtype](buffer);
}

export function elementSize(dtype: PortDType): number {
  return arrays[dtype].BYTES_PER_ELEMENT;
}

/** Whether an array is one for elements of this type. */
export function holdsElements(dtype: PortDType, data: unknown): boolean {
  return data instanceof arrays[dtype];
}
