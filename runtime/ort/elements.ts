import type { PortDType } from '../../compiler/ir/types.ts';
import type { HostTensor } from './host-tensor.ts';

/** Arrays for elements of each type, as of a `HostTensor`. */
export const arrays = {
  f32: Float32Array,
  u8: Uint8Array,
  i32: Int32Array,
  i64: BigInt64Array,
  bool: Uint8Array,
  f16: Uint16Array,
} as const satisfies Readonly<Record<PortDType, unknown>>;

/** Zeros. */
export function newElements(dtype: PortDType, shape: readonly number[]): HostTensor['data'] {
  return new arrays[dtype](shape.reduce((product, d) => product * d, 1));
}
