import { type ArgumentOf, type Arguments, type OpcodeName, opcodes } from './opcodes.ts';

/** A reason why bytes are no pickle, or not one that is accepted; a phrase without the file's name. */
export class PickleFault extends Error {}

/** The pickle goes on after the bytes that are there. */
export class PickleEnd extends PickleFault {}

/** An opcode with its argument. `at` is its offset in bytes. */
export type Instruction<Name extends OpcodeName = OpcodeName> = {
  readonly [Each in Name]: { readonly name: Each; readonly at: number; readonly argument: ArgumentOf<Each> };
}[Name];

/** The longest integer in bytes, and the longest line of one in characters; Python's ids have 8 bytes. */
const LONGEST_INTEGER = 64;
/** The longest line of protocol 0: a string in quotes. */
const LONGEST_LINE = 1 << 24;

/**
 * Yields the instructions of a pickle that begins at `start`, up to and including STOP. Throws a PickleFault for bytes that are no pickle.
 * Lengths are checked against the bytes that are there before anything is allocated.
 */
export function* readOpcodes(bytes: Uint8Array, start = 0): Generator<Instruction, void, undefined> {
  const cursor = new Cursor(bytes, start);
  for (;;) {
    const at = cursor.at;
    const code = cursor.unsigned(1);
    const row = rows.get(code);
    if (row === undefined) throw new PickleFault(`byte ${at} is 0x${code.toString(16).padStart(2, '0')}, no opcode`);
    const [name, kind] = row;
    // The argument is of the kind that the row of this name has.
    yield { name, at, argument: cursor.argument(kind) } as Instruction;
    if (name === 'STOP') return;
  }
}

const rows: ReadonlyMap<number, readonly [OpcodeName, keyof Arguments]> = new Map(
  Object.entries(opcodes).map(([code, row]) => [Number(code), row]),
);

class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at: number;

  constructor(bytes: Uint8Array, start: number) {
    this.at = start;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  argument(kind: keyof Arguments): Arguments[keyof Arguments] {
    switch (kind) {
      case 'none':
        return undefined;
      case 'u1':
        return this.unsigned(1);
      case 'u2':
        return this.unsigned(2);
      case 'u4':
        return this.unsigned(4);
      case 'u8':
        return this.#length8();
      case 'i4':
        return this.#view.getInt32(this.#take(4), true);
      case 'f8':
        return this.#view.getFloat64(this.#take(8), false);
      case 'line':
        return this.#line();
      case 'two-lines':
        return [this.#line(), this.#line()];
      case 'latin1':
        return latin(this.#part(this.unsigned(1)));
      case 'latin4':
        return latin(this.#part(this.#view.getInt32(this.#take(4), true)));
      case 'text1':
        return this.#text(this.unsigned(1));
      case 'text4':
        return this.#text(this.unsigned(4));
      case 'text8':
        return this.#text(this.#length8());
      case 'bytes1':
        return this.#part(this.unsigned(1));
      case 'bytes4':
        return this.#part(this.unsigned(4));
      case 'bytes8':
        return this.#part(this.#length8());
      case 'long1':
        return this.#integer(this.unsigned(1));
      case 'long4':
        return this.#integer(this.#view.getInt32(this.#take(4), true));
    }
  }

  unsigned(size: 1 | 2 | 4): number {
    const at = this.#take(size);
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at, true) : this.#view.getUint32(at, true);
  }

  /** Moves over `count` bytes and returns the offset of the first. */
  #take(count: number): number {
    const at = this.at;
    if (count < 0) throw new PickleFault(`byte ${at}: a length of ${count}`);
    const left = this.#bytes.length - at;
    if (count > left) throw new PickleEnd(`it ends at byte ${this.#bytes.length}, ${count - left} bytes too early`);
    this.at += count;
    return at;
  }

  #part(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  #length8(): number {
    const at = this.#take(8);
    return this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 2 ** 32;
  }

  #text(count: number): string {
    const at = this.at;
    try {
      return utf8.decode(this.#part(count));
    } catch (error) {
      if (error instanceof PickleFault) throw error;
      throw new PickleFault(`byte ${at}: a text that is not UTF-8`);
    }
  }

  #line(): string {
    const end = this.#bytes.indexOf(10, this.at);
    if (end < 0) throw new PickleEnd(`byte ${this.at}: a line without an end`);
    const count = end - this.at;
    if (count > LONGEST_LINE) throw new PickleFault(`byte ${this.at}: a line of ${count} bytes`);
    const text = latin(this.#part(count));
    this.at++;
    return text;
  }

  /** Two's complement, little-endian; no bytes are 0. */
  #integer(count: number): number | bigint {
    if (count > LONGEST_INTEGER) throw new PickleFault(`byte ${this.at}: an integer of ${count} bytes`);
    const part = this.#part(count);
    let value = 0n;
    for (let i = part.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(part[i] ?? 0);
    return narrowed(BigInt.asIntN(8 * count, value));
  }
}

/** A number if it is exact. */
export function narrowed(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Each byte is a character, as Python reads the strings of Python 2 with `encoding='latin1'`. */
function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
