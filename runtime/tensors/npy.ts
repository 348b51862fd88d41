import { endianness } from 'node:os';
import type { PortDType } from '../../compiler/ir/types.ts';

const descriptions: Readonly<Record<PortDType, string>> = {
  f32: '<f4',
  f16: '<f2',
  i32: '<i4',
  i64: '<i8',
  u8: '|u1',
  bool: '|b1',
};

/** A tensor in row-major order, with the bytes of its dtype. */
interface StoredTensor {
  readonly dtype: PortDType;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
}

/** The header of version 1.0 and what precedes it are a multiple of this many bytes long. */
const alignment = 64;
const preamble = 10;

/** Encodes a tensor as NumPy's .npy, version 1.0 (numpy/lib/format.py). */
export function encodeNpy({ dtype, shape, data }: StoredTensor): Uint8Array {
  if (endianness() !== 'LE') throw new Error('bug in crobc: files are written on little-endian machines only');
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const plain = `{'descr': '${descriptions[dtype]}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((preamble + plain.length + 1) / alignment) * alignment - preamble;
  const header = new TextEncoder().encode(`${plain.padEnd(length - 1)}\n`);
  const start = Uint8Array.of(0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, length & 255, length >> 8);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const all = new Uint8Array(start.length + header.length + bytes.length);
  all.set(start);
  all.set(header, start.length);
  all.set(bytes, start.length + header.length);
  return all;
}
