import type { ByteSource } from './byte-source.ts';

/**
 * A directory of a TIFF file: the values of its tags by number. Numbers of any type are numbers; text is a string.
 * Values that no part of crobc needs, such as rationals, are left out.
 */
export type TiffDirectory = ReadonlyMap<number, TagValue>;

export interface TagValue {
  /** The type of the TIFF specification: 2 text, 3 short, 4 long, 12 double, … */
  readonly type: number;
  readonly value: Float64Array | string;
}

/** Why a file is no TIFF that crobc reads; the message is a phrase. */
export class TiffFault extends Error {}

export interface TiffFile {
  readonly littleEndian: boolean;
  readonly directories: readonly TiffDirectory[];
}

/** Bytes of an element of each type: TIFF 6.0, section 2, and BigTIFF's 16 to 18. */
const sizes: Readonly<Record<number, number>> = {
  1: 1,
  2: 1,
  3: 2,
  4: 4,
  5: 8,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  10: 8,
  11: 4,
  12: 8,
  13: 4,
  16: 8,
  17: 8,
  18: 8,
};

/** Maximum number of elements of a tag: offsets of 16 million blocks, which are 128 MB. */
const mostElements = 2 ** 24;
/** Maximum number of elements of all tags: tags may share their bytes, so that a small file could have very many. */
const mostInFile = 3 * mostElements;
/** Overviews and masks follow the picture; more directories than these are pages of another kind of file. */
const mostDirectories = 64;
const mostTags = 4096;

/** Whether a file begins as a TIFF or a BigTIFF. */
export function isTiff(start: Uint8Array): boolean {
  const [a, b, c, d] = start;
  if (a === 0x49 && b === 0x49) return (c === 42 || c === 43) && d === 0;
  return a === 0x4d && b === 0x4d && c === 0 && (d === 42 || d === 43);
}

/**
 * Reads the directories of a TIFF or BigTIFF file of either byte order. Of a tag that occurs twice, the first counts, as in
 * libtiff. Memory is bounded by 128 MB for a tag and 400 MB for all. Throws a TiffFault.
 */
export async function readDirectories(source: ByteSource): Promise<TiffFile> {
  const start = await source.read(0, 16);
  if (!isTiff(start)) throw new TiffFault('it is not a TIFF');
  const file = new TagReader(source, start[0] === 0x49, start[start[0] === 0x49 ? 2 : 3] === 43);
  const directories: TiffDirectory[] = [];
  const seen = new Set<number>();
  for (let at = file.first(start); at !== 0 && directories.length < mostDirectories; ) {
    if (seen.has(at)) throw new TiffFault('its directories go round in a circle');
    seen.add(at);
    const { directory, next } = await file.directory(at);
    directories.push(directory);
    at = next;
  }
  return { littleEndian: file.littleEndian, directories };
}

class TagReader {
  readonly littleEndian: boolean;
  readonly #source: ByteSource;
  readonly #big: boolean;
  /** Elements read so far. */
  #elements = 0;

  constructor(source: ByteSource, littleEndian: boolean, big: boolean) {
    this.#source = source;
    this.littleEndian = littleEndian;
    this.#big = big;
  }

  first(start: Uint8Array): number {
    const view = viewOf(start);
    if (start.length < (this.#big ? 16 : 8)) throw new TiffFault('the image is truncated or damaged');
    if (this.#big && view.getUint16(4, this.littleEndian) !== 8)
      throw new TiffFault('the image is truncated or damaged');
    return this.#offset(view, this.#big ? 8 : 4);
  }

  async directory(at: number): Promise<{ readonly directory: TiffDirectory; readonly next: number }> {
    const [counted, entry, word] = this.#big ? [8, 20, 8] : [2, 12, 4];
    const head = viewOf(await this.#bytes(at, counted));
    const count = this.#big ? this.#offset(head, 0) : head.getUint16(0, this.littleEndian);
    if (count > mostTags) throw new TiffFault('the image is truncated or damaged');
    const view = viewOf(await this.#bytes(at + counted, count * entry + word));
    const directory = new Map<number, TagValue>();
    for (let i = 0; i < count; i++) {
      const tag = view.getUint16(i * entry, this.littleEndian);
      if (directory.has(tag)) continue;
      const value = await this.#value(view, i * entry, word);
      if (value !== undefined) directory.set(tag, value);
    }
    return { directory, next: this.#offset(view, count * entry) };
  }

  async #value(view: DataView, at: number, word: number): Promise<TagValue | undefined> {
    const type = view.getUint16(at + 2, this.littleEndian);
    const size = sizes[type];
    if (size === undefined || type === 5 || type === 10) return undefined;
    const count = word === 8 ? this.#offset(view, at + 4) : view.getUint32(at + 4, this.littleEndian);
    if (count > mostElements) throw new TiffFault(`a tag of it has ${count.toLocaleString('en')} values`);
    this.#elements += count;
    if (this.#elements > mostInFile)
      throw new TiffFault(`its tags have more than ${mostInFile.toLocaleString('en')} values`);
    const place = at + 4 + word;
    const bytes = count * size <= word ? view : viewOf(await this.#bytes(this.#offset(view, place), count * size));
    const from = bytes === view ? place : 0;
    if (type === 2) {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, count).toString('latin1');
      return { type, value: text.replace(/\0+$/, '') };
    }
    const values = new Float64Array(count);
    for (let i = 0; i < count; i++) values[i] = this.#number(bytes, from + i * size, type);
    return { type, value: values };
  }

  #number(view: DataView, at: number, type: number): number {
    const little = this.littleEndian;
    switch (type) {
      case 3:
        return view.getUint16(at, little);
      case 4:
      case 13:
        return view.getUint32(at, little);
      case 6:
        return view.getInt8(at);
      case 8:
        return view.getInt16(at, little);
      case 9:
        return view.getInt32(at, little);
      case 11:
        return view.getFloat32(at, little);
      case 12:
        return view.getFloat64(at, little);
      case 16:
      case 18:
        return Number(view.getBigUint64(at, little));
      case 17:
        return Number(view.getBigInt64(at, little));
      default:
        return view.getUint8(at);
    }
  }

  #offset(view: DataView, at: number): number {
    if (!this.#big) return view.getUint32(at, this.littleEndian);
    const offset = Number(view.getBigUint64(at, this.littleEndian));
    if (offset > Number.MAX_SAFE_INTEGER) throw new TiffFault('the image is truncated or damaged');
    return offset;
  }

  async #bytes(offset: number, length: number): Promise<Uint8Array> {
    if (offset + length > this.#source.size) throw new TiffFault('the image is truncated or damaged');
    const bytes = await this.#source.read(offset, length);
    if (bytes.length < length) throw new TiffFault('the image is truncated or damaged');
    return bytes;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The numbers of a tag; undefined if it is missing or text. */
export function numbersOf(directory: TiffDirectory, tag: number): ArrayLike<number> | undefined {
  const held = directory.get(tag)?.value;
  return typeof held === 'string' ? undefined : held;
}

/** The first number of a tag. */
export function numberOf(directory: TiffDirectory, tag: number): number | undefined {
  return numbersOf(directory, tag)?.[0];
}

/** The text of a tag; undefined if it is missing or numbers. */
export function textOf(directory: TiffDirectory, tag: number): string | undefined {
  const held = directory.get(tag)?.value;
  return typeof held === 'string' ? held : undefined;
}
