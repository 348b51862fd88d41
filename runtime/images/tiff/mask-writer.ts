import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { fileError } from '../../files/file-error.ts';
import { isCount, listOf, objectOf } from '../../files/json.ts';
import { openToRewrite } from '../../files/open-file.ts';
import { UserError } from '../../files/user-error.ts';
import type { TagValue } from './directory.ts';

const pack = promisify<Uint8Array, Buffer>(deflate);

/** Side of the tiles of a mask that is not smaller. */
const side = 512;
/** The largest sum of unpacked tiles for which a classic TIFF surely has room. */
const mostClassic = 4e9;

/** What a writer has written so far; with the same file, another one continues from it. */
export interface MaskRecord {
  readonly bytes: number;
  readonly counts: readonly number[];
}

export const isMaskRecord = objectOf<{
  readonly bytes: typeof isCount;
  readonly counts: ReturnType<typeof listOf<number>>;
}>({
  bytes: isCount,
  counts: listOf(isCount),
});

export interface MaskFile {
  readonly path: string;
  readonly width: number;
  readonly height: number;
  /** Tags to copy, such as those of a georeference. */
  readonly tags: ReadonlyMap<number, TagValue>;
}

/**
 * Writes a mask as a tiled TIFF of one band of 8 bits, compressed by deflate: row by row, in memory for one row of
 * tiles. A mask of more than 4 GB is a BigTIFF.
 */
export class MaskWriter {
  readonly #file: MaskFile;
  readonly #handle: FileHandle;
  readonly #big: boolean;
  readonly #tile: Size;
  readonly #counts: number[];
  readonly #rows: Uint8Array;
  #pending = 0;
  #bytes: number;

  private constructor(file: MaskFile, handle: FileHandle, record: MaskRecord) {
    this.#file = file;
    this.#handle = handle;
    this.#big = isBig(file);
    this.#counts = [...record.counts];
    this.#bytes = record.bytes;
    this.#tile = tileOf(file);
    this.#rows = new Uint8Array(file.width * this.#tile.height);
  }

  /** Bytes of memory that a writer needs. */
  static memory({ width }: Pick<MaskFile, 'width'>): number {
    return width * side * 2;
  }

  static async create(file: MaskFile): Promise<MaskWriter> {
    const { handle } = await openToRewrite(file.path, 'bytes');
    const header = headerOf(isBig(file), 0);
    const writer = new MaskWriter(file, handle, { bytes: header.length, counts: [] });
    await writer.#during(async () => {
      await handle.truncate(0);
      await writer.#put(header, 0);
    });
    return writer;
  }

  /** Continues a file that was written up to `record`; `rows` are those that it did not hold yet. */
  static async resume(file: MaskFile, record: MaskRecord, rows: Uint8Array): Promise<MaskWriter> {
    const { handle, stats } = await openToRewrite(file.path, 'bytes');
    const writer = new MaskWriter(file, handle, record);
    await writer.#during(async () => {
      if (stats.size < record.bytes)
        throw new UserError(`cannot continue ${file.path}: it has ${stats.size} of ${record.bytes} bytes`);
      await handle.truncate(record.bytes);
      writer.#rows.set(rows);
      writer.#pending = rows.length / file.width;
    });
    return writer;
  }

  get record(): MaskRecord {
    return { bytes: this.#bytes, counts: this.#counts };
  }

  /** Rows that are not in the file yet. */
  get pending(): Uint8Array {
    return this.#rows.subarray(0, this.#pending * this.#file.width);
  }

  /** Appends rows, each of `width` bytes. */
  async write(rows: Uint8Array): Promise<void> {
    const { width, height } = this.#file;
    for (let at = 0; at < rows.length; ) {
      const free = (this.#tile.height - this.#pending) * width;
      const part = rows.subarray(at, at + free);
      this.#rows.set(part, this.#pending * width);
      this.#pending += part.length / width;
      at += part.length;
      if (this.#pending === this.#tile.height) await this.#flush();
    }
    const written = Math.floor(this.#counts.length / across(this.#file)) * this.#tile.height;
    if (written + this.#pending === height && this.#pending > 0) await this.#flush();
  }

  /** Writes to the disk what was given to the system. */
  async sync(): Promise<void> {
    try {
      await this.#handle.sync();
    } catch (error) {
      throw fileError('write', this.#file.path, error);
    }
  }

  /** Writes the directory; call it after the last row. */
  async finish(): Promise<void> {
    const { width, height, tags } = this.#file;
    const wanted = across(this.#file) * Math.ceil(height / this.#tile.height);
    if (this.#counts.length !== wanted)
      throw new Error(`bug in crobc: ${this.#counts.length} of ${wanted} tiles of a mask`);
    const offsets: number[] = [];
    let at = headerOf(this.#big, 0).length;
    for (const count of this.#counts) {
      offsets.push(at);
      at += count;
    }
    const long = this.#big ? 16 : 4;
    const own: readonly [number, number, readonly number[]][] = [
      [256, 4, [width]],
      [257, 4, [height]],
      [258, 3, [8]],
      [259, 3, [8]],
      [262, 3, [1]],
      [277, 3, [1]],
      [284, 3, [1]],
      [322, 3, [this.#tile.width]],
      [323, 3, [this.#tile.height]],
      [324, long, offsets],
      [325, 4, this.#counts],
      [339, 3, [1]],
    ];
    const all = new Map<number, TagValue>(
      own.map(([tag, type, value]) => [tag, { type, value: Float64Array.from(value) }]),
    );
    for (const [tag, value] of tags) all.set(tag, value);
    const start = this.#bytes + (this.#bytes % 2);
    await this.#put(directoryOf(all, start, this.#big), start);
    await this.#put(headerOf(this.#big, start), 0);
    await this.sync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #flush(): Promise<void> {
    for (let column = 0; column < across(this.#file); column++) {
      const packed = await pack(this.#cut(column));
      await this.#put(packed, this.#bytes);
      this.#bytes += packed.length;
      this.#counts.push(packed.length);
    }
    this.#pending = 0;
    this.#rows.fill(0);
  }

  /** A tile of the pending rows, filled up with zeros. */
  #cut(column: number): Uint8Array {
    const { width } = this.#file;
    const out = new Uint8Array(this.#tile.width * this.#tile.height);
    const left = column * this.#tile.width;
    const length = Math.min(this.#tile.width, width - left);
    for (let y = 0; y < this.#pending; y++)
      out.set(this.#rows.subarray(y * width + left, y * width + left + length), y * this.#tile.width);
    return out;
  }

  async #put(bytes: Uint8Array, at: number): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; ) {
        // The system may write less than it is asked to.
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, at + done);
        done += bytesWritten;
      }
    } catch (error) {
      throw fileError('write', this.#file.path, error);
    }
  }

  /** Closes the file if a step of opening it fails. */
  async #during(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      await this.#handle.close().catch(() => undefined);
      throw fileError('write', this.#file.path, error);
    }
  }
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Tiles have sides of a multiple of 16; libvips refuses those that are larger than the picture. */
function tileOf({ width, height }: Size): Size {
  const sideOf = (length: number) => Math.min(side, Math.ceil(length / 16) * 16);
  return { width: sideOf(width), height: sideOf(height) };
}

function across(size: Size): number {
  return Math.ceil(size.width / tileOf(size).width);
}

function isBig({ width, height }: Size): boolean {
  return (width + side) * (height + side) > mostClassic;
}

/** The header of a little-endian TIFF, with the offset of its directory. */
function headerOf(big: boolean, directory: number): Buffer {
  const header = Buffer.alloc(big ? 16 : 8);
  header.write('II', 0, 'latin1');
  header.writeUInt16LE(big ? 43 : 42, 2);
  if (big) {
    header.writeUInt16LE(8, 4);
    header.writeBigUInt64LE(BigInt(directory), 8);
  } else header.writeUInt32LE(directory, 4);
  return header;
}

/** A directory that begins at `start` of the file, and behind it the values that do not fit into it. */
function directoryOf(tags: ReadonlyMap<number, TagValue>, start: number, big: boolean): Buffer {
  const [word, entry, counted] = big ? [8, 20, 8] : [4, 12, 2];
  const sorted = [...tags].sort(([a], [b]) => a - b);
  const head = Buffer.alloc(counted + sorted.length * entry + word);
  const parts: Buffer[] = [head];
  let end = start + head.length;
  if (big) head.writeBigUInt64LE(BigInt(sorted.length), 0);
  else head.writeUInt16LE(sorted.length, 0);
  for (const [i, [tag, value]] of sorted.entries()) {
    const at = counted + i * entry;
    const { bytes, count } = valueBytes(value);
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(value.type, at + 2);
    if (big) head.writeBigUInt64LE(BigInt(count), at + 4);
    else head.writeUInt32LE(count, at + 4);
    const place = at + 4 + word;
    if (bytes.length <= word) bytes.copy(head, place);
    else {
      if (big) head.writeBigUInt64LE(BigInt(end), place);
      else head.writeUInt32LE(end, place);
      // Values begin at even offsets.
      const padded = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
      parts.push(padded);
      end += padded.length;
    }
  }
  return Buffer.concat(parts);
}

function valueBytes({ type, value }: TagValue): { readonly bytes: Buffer; readonly count: number } {
  if (typeof value === 'string') {
    const bytes = Buffer.from(`${value}\0`, 'latin1');
    return { bytes, count: bytes.length };
  }
  const count = value.length;
  if (type === 3) return { bytes: Buffer.from(Uint16Array.from(value).buffer), count };
  if (type === 4) return { bytes: Buffer.from(Uint32Array.from(value).buffer), count };
  if (type === 12) return { bytes: Buffer.from(Float64Array.from(value).buffer), count };
  if (type === 16) return { bytes: Buffer.from(BigUint64Array.from(value, (v) => BigInt(v)).buffer), count };
  throw new Error(`bug in crobc: a tag of type ${type}`);
}
