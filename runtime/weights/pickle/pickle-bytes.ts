import { UserError } from '../../files/user-error.ts';

/** The pickle goes on after the bytes that were given. */
export class PickleEndsEarly extends UserError {
  constructor() {
    super('its pickle ends early: the file is truncated or damaged');
  }
}

/** Longest line of a text opcode, such as the name of a class. */
const longestLine = 1 << 16;

/** Reads the arguments of opcodes. Checks each length before it takes the bytes; a part of the input is not copied. */
export class PickleBytes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  #skip(count: number): number {
    const start = this.at;
    if (count > this.#bytes.length - start) throw new PickleEndsEarly();
    this.at = start + count;
    return start;
  }

  take(count: number): Uint8Array {
    const start = this.#skip(count);
    return this.#bytes.subarray(start, start + count);
  }

  u8(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#skip(2), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#skip(4), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  /** A length of 8 bytes; numbers beyond 2^53 are rounded, as no file is as long. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.#skip(8), true));
  }

  /** A double; unlike all else, it is big-endian. */
  f64(): number {
    return this.#view.getFloat64(this.#skip(8), false);
  }

  /** A text up to the next line feed, byte by byte. */
  line(): string {
    const end = this.#bytes.subarray(this.at, this.at + longestLine).indexOf(10);
    if (end < 0) {
      if (this.#bytes.length - this.at < longestLine) throw new PickleEndsEarly();
      throw new UserError('a line of its pickle has no end');
    }
    const line = Buffer.from(this.take(end)).toString('latin1');
    this.at++;
    return line;
  }

  utf8(count: number): string {
    const bytes = this.take(count);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new UserError('a text of its pickle is not UTF-8');
    }
  }

  /** An integer of `count` bytes, in two's complement. */
  long(count: number): number | bigint {
    if (count > longestInteger) throw new UserError(`its pickle has an integer of ${count} bytes`);
    let value = 0n;
    const bytes = this.take(count);
    for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    return small(BigInt.asIntN(8 * count, value));
  }
}

/** Maximum bytes of an integer. Checkpoints have 64-bit integers and PyTorch's magic number of 80 bits. */
const longestInteger = 64;

/** Returns a number where it is exact. */
export function small(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
