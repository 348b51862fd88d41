import type { PortDType } from '../../compiler/ir/types.ts';

/** A tensor in the memory of this process, row-major: i64 as BigInt64Array, bool and u8 as Uint8Array, f16 as bits. */
export interface HostTensor {
  readonly dtype: PortDType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array | Uint16Array | BigInt64Array;
}

/** Tensors by input name. */
export type Feeds = Readonly<Record<string, HostTensor>>;

export interface PortType {
  readonly name: string;
  readonly dtype: PortDType;
  /** Sizes; a name for an open one. */
  readonly shape: readonly (number | string)[];
}
