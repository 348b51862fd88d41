import { cut, quoted } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';
import { bytesPerElement, isTensorDType, type TensorDType, tensorDTypes } from '../tensors/tensor-dtype.ts';
import type { FileTensor } from './tensor-file.ts';

/** Compares tensors by the reference implementation's layout order: dtypes from last to first in `bits`, then names. */
export function layoutOrder(
  a: { readonly dtype: TensorDType; readonly name: string },
  b: { readonly dtype: TensorDType; readonly name: string },
): number {
  return (
    tensorDTypes.indexOf(b.dtype) - tensorDTypes.indexOf(a.dtype) ||
    Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))
  );
}

/** A tensor in a file; begin and end are byte offsets from the end of the header. */
export interface TensorEntry extends FileTensor {
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Maximum header length, as in the reference implementation. */
export const MAX_HEADER_BYTES = 100_000_000;

/**
 * Parses and checks the JSON header of a file with `dataBytes` bytes of tensor data. Throws a UserError without the
 * file's name. Does not use JSON.parse, which accepts duplicate names and keeps only the last.
 */
export function parseHeader(text: string, dataBytes: number): SafetensorsHeader {
  const scan = new Scanner(text);
  const tensors = new Map<string, TensorEntry>();
  let metadata: Map<string, string> | undefined;
  scan.object((name) => {
    if (name === '__metadata__') {
      if (metadata !== undefined) throw new UserError('the header has __metadata__ twice');
      const found = new Map<string, string>();
      scan.object((key) => {
        if (found.has(key)) throw new UserError(`the header's metadata has ${quoted(key)} twice`);
        found.set(key, scan.string());
      });
      metadata = found;
      return;
    }
    if (tensors.has(name)) throw new UserError(`the header names the tensor ${quoted(name)} twice`);
    tensors.set(name, tensorEntry(scan, name));
  });
  scan.end();
  checkLayout([...tensors.values()], dataBytes);
  return { tensors, metadata: metadata ?? new Map() };
}

function tensorEntry(scan: Scanner, name: string): TensorEntry {
  const label = quoted(name);
  let dtype: string | undefined;
  let shape: readonly number[] | undefined;
  let offsets: readonly number[] | undefined;
  scan.object((key) => {
    if (key === 'dtype' && dtype === undefined) dtype = scan.string();
    else if (key === 'shape' && shape === undefined) shape = scan.integers();
    else if (key === 'data_offsets' && offsets === undefined) offsets = scan.integers();
    else throw new UserError(`the tensor ${label} has an unexpected field ${quoted(key)} in the header`);
  });
  if (dtype === undefined || shape === undefined || offsets?.length !== 2) {
    throw new UserError(`the tensor ${label} lacks its dtype, shape or two data_offsets in the header`);
  }
  if (!isTensorDType(dtype)) throw new UserError(`the tensor ${label} has the unknown dtype ${quoted(dtype)}`);
  const [begin, end] = offsets as readonly [number, number];
  const entry: TensorEntry = { name, dtype, shape, begin, end };
  const wanted = shape.reduce((product, d) => product * d, bytesPerElement(entry.dtype));
  if (end - begin !== wanted) {
    throw new UserError(
      `the tensor ${label} claims ${end - begin} bytes, and ${dtype}[${cut(shape.join(', '))}] is ${wanted} bytes`,
    );
  }
  return entry;
}

/** Checks that tensors fill the data without gaps or overlaps, as the format requires. */
function checkLayout(entries: readonly TensorEntry[], dataBytes: number): void {
  const sorted = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, begin, end } of sorted) {
    const label = quoted(name);
    if (end > dataBytes) {
      throw new UserError(`the tensor ${label} ends at byte ${end} of ${dataBytes}: the file is truncated or damaged`);
    }
    if (begin < at) throw new UserError(`the tensor ${label} overlaps the one before it`);
    if (begin > at) throw new UserError(`${begin - at} bytes before the tensor ${label} belong to no tensor`);
    at = end;
  }
  if (at !== dataBytes) throw new UserError(`${dataBytes - at} bytes at the end belong to no tensor`);
}

/**
 * Scans the subset of JSON that headers use: objects, strings, lists of integers. The caller determines the nesting.
 */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  object(member: (key: string) => void): void {
    this.#expect('{');
    if (this.#accept('}')) return;
    do {
      const key = this.string();
      this.#expect(':');
      member(key);
    } while (this.#accept(','));
    this.#expect('}');
  }

  string(): string {
    this.#expect('"');
    const start = this.#at;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(code)) throw this.#fault('a string does not end');
      if (code === 0x22) break;
      this.#at += code === 0x5c ? 2 : 1;
    }
    const raw = this.#text.slice(start, this.#at++);
    try {
      return JSON.parse(`"${raw}"`) as string;
    } catch {
      throw this.#fault('a string is not JSON');
    }
  }

  integers(): number[] {
    const items: number[] = [];
    this.#expect('[');
    if (this.#accept(']')) return items;
    do {
      this.#blank();
      const start = this.#at;
      while (/[0-9]/.test(this.#text[this.#at] ?? '')) this.#at++;
      const digits = this.#text.slice(start, this.#at);
      const value = Number(digits);
      if (!/^(0|[1-9][0-9]*)$/.test(digits) || !Number.isSafeInteger(value))
        throw this.#fault('a whole number is wanted');
      items.push(value);
    } while (this.#accept(','));
    this.#expect(']');
    return items;
  }

  end(): void {
    this.#blank();
    if (this.#at < this.#text.length) throw this.#fault('something follows the header');
  }

  #blank(): void {
    while (' \n\r\t'.includes(this.#text[this.#at] ?? '_')) this.#at++;
  }

  #accept(mark: string): boolean {
    this.#blank();
    if (this.#text[this.#at] !== mark) return false;
    this.#at++;
    return true;
  }

  #expect(mark: string): void {
    if (!this.#accept(mark)) throw this.#fault(`${mark} is wanted`);
  }

  #fault(what: string): UserError {
    return new UserError(`the header is not the JSON of a safetensors file: ${what} at character ${this.#at}`);
  }
}
