import { UserError } from '../files/user-error.ts';
import { float32FromBfloat16, float32FromHalf } from '../tensors/half.ts';
import type { TensorDType } from '../tensors/tensor-dtype.ts';

/** A tensor in a file. */
export interface FileTensor {
  readonly name: string;
  readonly dtype: TensorDType;
  readonly shape: readonly number[];
}

/** What a file contains beside its tensors, as text. */
export interface FileRemark {
  readonly name: string;
  readonly text: string;
}

/**
 * An open file of named tensors. Opening reads names, dtypes and shapes; the values of a tensor are read on request, one
 * at a time. Must be closed.
 */
export abstract class TensorFile {
  abstract readonly path: string;
  /** The name of the format, for people. */
  abstract readonly format: string;
  abstract readonly tensors: ReadonlyMap<string, FileTensor>;
  /** Metadata, settings and other values beside the tensors. */
  abstract readonly remarks: readonly FileRemark[];

  /** Returns the bytes of a tensor: row-major, little-endian. Throws a UserError if they cannot be read. */
  abstract bytes(name: string): Promise<Uint8Array<ArrayBuffer>>;

  abstract close(): Promise<void>;

  /** Returns a tensor of any dtype as float32; 64-bit values are rounded. */
  async float32(name: string): Promise<Float32Array> {
    const { buffer } = await this.bytes(name);
    const { dtype } = this.tensors.get(name)!;
    switch (dtype) {
      case 'F32':
        return new Float32Array(buffer);
      case 'F64':
        return Float32Array.from(new Float64Array(buffer));
      case 'F16':
        return float32FromHalf(new Uint16Array(buffer));
      case 'BF16':
        return float32FromBfloat16(new Uint16Array(buffer));
      case 'I8':
        return Float32Array.from(new Int8Array(buffer));
      case 'U8':
        return Float32Array.from(new Uint8Array(buffer));
      case 'BOOL':
        return Float32Array.from(new Uint8Array(buffer), (x) => (x === 0 ? 0 : 1));
      case 'I16':
        return Float32Array.from(new Int16Array(buffer));
      case 'U16':
        return Float32Array.from(new Uint16Array(buffer));
      case 'I32':
        return Float32Array.from(new Int32Array(buffer));
      case 'U32':
        return Float32Array.from(new Uint32Array(buffer));
      case 'I64':
        return fromBig(new BigInt64Array(buffer));
      case 'U64':
        return fromBig(new BigUint64Array(buffer));
      case 'F8_E4M3':
      case 'F8_E5M2':
        throw new UserError(`${this.path}: the tensor ${name} is ${dtype}, which crobc does not read`);
    }
  }

  /** Returns an integer tensor as int32 (BOOL as 0 and 1). Throws a UserError if a value does not fit. */
  async int32(name: string): Promise<Int32Array> {
    const { buffer } = await this.bytes(name);
    const { dtype } = this.tensors.get(name)!;
    const narrow = (values: ArrayLike<number | bigint>): Int32Array => {
      const out = new Int32Array(values.length);
      for (let i = 0; i < out.length; i++) {
        const value = Number(values[i]);
        if (value !== (value | 0))
          throw new UserError(`${this.path}: the tensor ${name} holds ${values[i]}, beyond 32 bits`);
        out[i] = value;
      }
      return out;
    };
    switch (dtype) {
      case 'I32':
        return new Int32Array(buffer);
      case 'I64':
        return narrow(new BigInt64Array(buffer));
      case 'U64':
        return narrow(new BigUint64Array(buffer));
      case 'U32':
        return narrow(new Uint32Array(buffer));
      case 'I16':
        return Int32Array.from(new Int16Array(buffer));
      case 'U16':
        return Int32Array.from(new Uint16Array(buffer));
      case 'I8':
        return Int32Array.from(new Int8Array(buffer));
      case 'U8':
        return Int32Array.from(new Uint8Array(buffer));
      case 'BOOL':
        return Int32Array.from(new Uint8Array(buffer), (x) => (x === 0 ? 0 : 1));
      default:
        throw new UserError(`${this.path}: the tensor ${name} is ${dtype}, and whole numbers are wanted`);
    }
  }
}

function fromBig(values: BigInt64Array | BigUint64Array): Float32Array {
  const out = new Float32Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = Number(values[i]);
  return out;
}
