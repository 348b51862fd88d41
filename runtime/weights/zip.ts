import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, crc32, inflateRaw } from 'node:zlib';
import { byteSize } from '../files/byte-size.ts';
import { quoted } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';
import { readRange } from './read-range.ts';

const inflate = promisify(inflateRaw);

/** A file in a zip archive. */
export interface ZipEntry {
  readonly name: string;
  readonly method: 'stored' | 'deflated';
  readonly crc: number;
  /** Bytes in the archive, and of the file. */
  readonly packed: number;
  readonly size: number;
  /** The position of its local header. */
  readonly at: number;
}

const endRecord = 22;
const longestComment = 0xffff;
const localHeader = 30;
const centralHeader = 46;

/** Maximum size of the list of files, and their number. */
const largestDirectory = 2 ** 26;
const mostEntries = 500_000;

/** Deflate makes at most 1032 bytes of one. */
const mostInflated = 1032;

/** Maximum bytes of a deflated file, which is inflated in memory; a stored file is read in parts. */
const largestInflated = 2 ** 30;

/**
 * A zip archive whose files are read by offset. The central directory is read and checked when it is opened: offsets,
 * sizes and names. Messages do not name the archive.
 */
export class ZipArchive {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly #handle: FileHandle;
  /** Positions of the data of files whose local header was read. */
  readonly #starts = new Map<string, number>();
  /** Files whose checksum was compared. */
  readonly #sound = new Set<string>();
  /** Whether the archive has checksums: `torch.save` can be told to write 0 for each. */
  readonly #hasChecksums: boolean;
  /** The last inflated file. */
  #inflated: { readonly name: string; readonly bytes: Uint8Array } | undefined;

  private constructor(handle: FileHandle, entries: ReadonlyMap<string, ZipEntry>) {
    this.#handle = handle;
    this.entries = entries;
    this.#hasChecksums = [...entries.values()].some(({ crc }) => crc !== 0);
  }

  static async open(handle: FileHandle, size: number): Promise<ZipArchive> {
    const { count, length, start } = await directoryPlace(handle, size);
    if (count > mostEntries || length > largestDirectory)
      throw new UserError(`its zip directory has ${count} entries in ${byteSize(length)}, which is too much`);
    if (start + length > size) throw new UserError('its zip directory ends after the file: truncated or damaged');
    const entries = parsed(Buffer.from(await readRange(handle, start, length)), count, start);
    return new ZipArchive(handle, entries);
  }

  /**
   * Returns a part of a file, by default all of it. The whole file is compared with its checksum before a part of it is
   * returned.
   */
  async read(entry: ZipEntry, begin = 0, end = entry.size): Promise<Uint8Array<ArrayBuffer>> {
    if (entry.method === 'deflated') return (await this.#inflate(entry)).slice(begin, end);
    const start = await this.#start(entry);
    if (!this.#sound.has(entry.name) && (begin > 0 || end < entry.size)) await this.#check(entry, start);
    const bytes = await readRange(this.#handle, start + begin, end - begin);
    if (!this.#sound.has(entry.name)) this.#require(entry, crc32(bytes));
    return bytes;
  }

  /** Returns the beginning of a file, up to about `length` bytes, without a look at its checksum. */
  async peek(entry: ZipEntry, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const part = await readRange(this.#handle, await this.#start(entry), Math.min(length, entry.packed));
    if (entry.method === 'stored') return part;
    try {
      return new Uint8Array(
        await inflate(part, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: length * mostInflated }),
      );
    } catch {
      throw new UserError(`${quoted(entry.name)} in it is not deflated data: damaged`);
    }
  }

  async #check(entry: ZipEntry, start: number): Promise<void> {
    if (!this.#hasChecksums) return;
    let crc = 0;
    const part = 2 ** 24;
    for (let at = 0; at < entry.size; at += part)
      crc = crc32(await readRange(this.#handle, start + at, Math.min(part, entry.size - at)), crc);
    this.#require(entry, crc);
  }

  #require(entry: ZipEntry, crc: number): void {
    if (this.#hasChecksums && crc !== entry.crc)
      throw new UserError(`the checksum of ${quoted(entry.name)} in it is wrong: the file is damaged`);
    this.#sound.add(entry.name);
  }

  async #inflate(entry: ZipEntry): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#inflated?.name === entry.name) return this.#inflated.bytes as Uint8Array<ArrayBuffer>;
    if (entry.size > largestInflated)
      throw new UserError(
        `${quoted(entry.name)} in it inflates to ${byteSize(entry.size)}: crobc inflates 1 GiB at most`,
      );
    const packed = await readRange(this.#handle, await this.#start(entry), entry.packed);
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = new Uint8Array(await inflate(packed, { maxOutputLength: Math.max(entry.size, 1) }));
    } catch {
      throw new UserError(`${quoted(entry.name)} in it is not deflated data of ${entry.size} bytes: damaged`);
    }
    if (bytes.length !== entry.size)
      throw new UserError(`${quoted(entry.name)} in it inflates to ${bytes.length} bytes instead of ${entry.size}`);
    this.#require(entry, crc32(bytes));
    this.#inflated = { name: entry.name, bytes };
    return bytes;
  }

  /** Reads the local header, whose name and extra fields may have other lengths than those of the directory. */
  async #start(entry: ZipEntry): Promise<number> {
    const known = this.#starts.get(entry.name);
    if (known !== undefined) return known;
    const header = Buffer.from(await readRange(this.#handle, entry.at, localHeader));
    if (header.readUInt32LE(0) !== 0x04034b50)
      throw new UserError(`${quoted(entry.name)} in it has no local header: damaged`);
    const start = entry.at + localHeader + header.readUInt16LE(26) + header.readUInt16LE(28);
    this.#starts.set(entry.name, start);
    return start;
  }
}

/** Finds the central directory from the end of the file. */
async function directoryPlace(handle: FileHandle, size: number) {
  const length = Math.min(size, endRecord + longestComment);
  const tail = Buffer.from(await readRange(handle, size - length, length));
  let at = tail.length - endRecord;
  while (
    at >= 0 &&
    !(tail.readUInt32LE(at) === 0x06054b50 && at + endRecord + tail.readUInt16LE(at + 20) === tail.length)
  )
    at--;
  if (at < 0) throw new UserError('its zip directory is missing: the file is truncated or damaged');
  const [disk, first] = [tail.readUInt16LE(at + 4), tail.readUInt16LE(at + 6)];
  if (disk !== first || (disk !== 0 && disk !== 0xffff))
    throw new UserError('it is one of several parts of a zip archive');
  const short = {
    count: tail.readUInt16LE(at + 10),
    length: tail.readUInt32LE(at + 12),
    start: tail.readUInt32LE(at + 16),
  };
  const locator = size - length + at - 20;
  if (locator < 0) return short;
  const before = Buffer.from(await readRange(handle, locator, 20));
  if (before.readUInt32LE(0) !== 0x07064b50) return short;
  const end = Number(before.readBigUInt64LE(8));
  if (end + 56 > size) throw new UserError('its zip directory ends after the file: truncated or damaged');
  const long = Buffer.from(await readRange(handle, end, 56));
  if (long.readUInt32LE(0) !== 0x06064b50) throw new UserError('its zip directory is damaged');
  return {
    count: Number(long.readBigUInt64LE(32)),
    length: Number(long.readBigUInt64LE(40)),
    start: Number(long.readBigUInt64LE(48)),
  };
}

/** Parses the directory, which begins at `limit`; no file may reach into it or into another. */
function parsed(directory: Buffer, count: number, limit: number): ReadonlyMap<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + centralHeader > directory.length || directory.readUInt32LE(at) !== 0x02014b50)
      throw new UserError('its zip directory is damaged');
    const [name, extra, comment] = [28, 30, 32].map((field) => directory.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ];
    const next = at + centralHeader + name + extra + comment;
    if (next > directory.length) throw new UserError('its zip directory is damaged');
    const entry = entryAt(directory.subarray(at, at + centralHeader + name + extra), name);
    if (entries.has(entry.name)) throw new UserError(`it has ${quoted(entry.name)} twice`);
    entries.set(entry.name, entry);
    at = next;
  }
  let end = 0;
  for (const { name, at: begin, packed } of [...entries.values()].sort((a, b) => a.at - b.at)) {
    if (begin < end) throw new UserError(`${quoted(name)} in it overlaps the file before it`);
    end = begin + localHeader + packed;
    if (end > limit) throw new UserError(`${quoted(name)} in it ends after the archive: truncated or damaged`);
  }
  return entries;
}

function entryAt(header: Buffer, nameLength: number): ZipEntry {
  const name = header.toString('utf8', centralHeader, centralHeader + nameLength);
  const flags = header.readUInt16LE(8);
  const code = header.readUInt16LE(10);
  if ((flags & 1) !== 0) throw new UserError(`${quoted(name)} in it is encrypted`);
  if (code !== 0 && code !== 8)
    throw new UserError(`${quoted(name)} in it is compressed by the unknown method ${code}`);
  if (/^[/\\]|^[A-Za-z]:|\0/.test(name) || name.split(/[/\\]/).includes('..'))
    throw new UserError(`${quoted(name)} in it is not a name within the archive`);
  const long = zip64(header.subarray(centralHeader + nameLength));
  const wide = (field: number): number => {
    const value = header.readUInt32LE(field);
    if (value !== 0xffffffff) return value;
    const given = long.shift();
    if (given === undefined) throw new UserError(`the size of ${quoted(name)} in it is missing`);
    return given;
  };
  // In this order, as the extra field has only those that are needed.
  const size = wide(24);
  const packed = wide(20);
  const at = wide(42);
  const method = code === 0 ? 'stored' : 'deflated';
  if (method === 'stored' ? size !== packed : size > mostInflated * packed)
    throw new UserError(`${quoted(name)} in it cannot have ${size} bytes: it takes ${packed} in the archive`);
  if (![size, packed, at].every(Number.isSafeInteger))
    throw new UserError(`the size of ${quoted(name)} in it is too large`);
  return { name, method, crc: header.readUInt32LE(16), packed, size, at };
}

/** The 64-bit numbers of an entry. */
function zip64(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; ) {
    const [id, length] = [extra.readUInt16LE(at), extra.readUInt16LE(at + 2)];
    const data = extra.subarray(at + 4, at + 4 + length);
    if (id === 1)
      return Array.from({ length: Math.floor(data.length / 8) }, (_, i) => Number(data.readBigUInt64LE(8 * i)));
    at += 4 + length;
  }
  return [];
}
