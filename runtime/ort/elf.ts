/** Reads bytes of a file; fewer than `length` at its end. */
export type ReadBytes = (offset: number, length: number) => Uint8Array;

/** Longest table that is read: the dynamic section and the names in it. Those of real libraries take some kilobytes. */
const LONGEST = 2 ** 24;

const [PT_LOAD, PT_DYNAMIC] = [1, 2];
const [DT_NULL, DT_NEEDED, DT_STRTAB, DT_STRSZ] = [0, 1, 5, 10];

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** Returns `e_machine`, the processor of a 64-bit little-endian ELF file; undefined if the file is none. */
export function elfMachine(read: ReadBytes): number | undefined {
  return elfHeader(read)?.getUint16(18, true);
}

/**
 * Returns the names of the shared libraries that a library is linked against (DT_NEEDED), in order. Undefined if the
 * file is not a 64-bit little-endian ELF file with a dynamic section, or is damaged. Layout: System V ABI, chapters 4
 * and 5.
 */
export function neededLibraries(read: ReadBytes): readonly string[] | undefined {
  const header = elfHeader(read);
  const segments = header && segmentsOf(read, header);
  const dynamic = segments?.find(({ type }) => type === PT_DYNAMIC);
  const entries = dynamic && viewOf(read, dynamic.offset, dynamic.size);
  if (segments === undefined || entries === undefined) return undefined;
  const needed: number[] = [];
  let [names, size] = [0, 0];
  for (let at = 0; at + 16 <= entries.byteLength; at += 16) {
    const [tag, value] = [wordAt(entries, at), wordAt(entries, at + 8)];
    if (tag === DT_NULL) break;
    if (tag === DT_NEEDED) needed.push(value);
    if (tag === DT_STRTAB) names = value;
    if (tag === DT_STRSZ) size = value;
  }
  const text = tableAt(read, segments, names, size);
  if (text === undefined) return undefined;
  const found = needed.map((offset) => nameAt(text, offset));
  return found.every((name) => name !== undefined) ? found : undefined;
}

function elfHeader(read: ReadBytes): DataView | undefined {
  const header = viewOf(read, 0, 64);
  // \x7fELF, 64 bits, little-endian.
  return header?.getUint32(0) === 0x7f454c46 && header.getUint16(4) === 0x0201 ? header : undefined;
}

function segmentsOf(read: ReadBytes, header: DataView): readonly Segment[] | undefined {
  const [start, each, count] = [wordAt(header, 32), header.getUint16(54, true), header.getUint16(56, true)];
  const table = each < 56 ? undefined : viewOf(read, start, each * count);
  if (table === undefined) return undefined;
  return Array.from({ length: count }, (_, i) => ({
    type: table.getUint32(i * each, true),
    offset: wordAt(table, i * each + 8),
    address: wordAt(table, i * each + 16),
    size: wordAt(table, i * each + 32),
  }));
}

/** The bytes at an address of the loaded library. */
function tableAt(read: ReadBytes, segments: readonly Segment[], address: number, size: number): DataView | undefined {
  const within = segments.find(
    (segment) => segment.type === PT_LOAD && address >= segment.address && address < segment.address + segment.size,
  );
  return within && viewOf(read, within.offset + address - within.address, size);
}

function nameAt(table: DataView, start: number): string | undefined {
  let end = start;
  while (end < table.byteLength && table.getUint8(end) !== 0) end++;
  if (end >= table.byteLength) return undefined;
  return String.fromCharCode(...new Uint8Array(table.buffer, table.byteOffset + start, Math.min(end - start, 255)));
}

/** Undefined if there are fewer bytes, or too many for what the caller reads. */
function viewOf(read: ReadBytes, offset: number, length: number): DataView | undefined {
  if (!Number.isSafeInteger(offset + length) || length > LONGEST) return undefined;
  const { buffer, byteOffset, byteLength } = read(offset, length);
  return byteLength < length ? undefined : new DataView(buffer, byteOffset, length);
}

/** Exact for all offsets in files. */
function wordAt(view: DataView, offset: number): number {
  return Number(view.getBigUint64(offset, true));
}
