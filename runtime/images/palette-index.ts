import { crc32 } from 'node:zlib';

/**
 * Returns a PNG or TIFF file with a palette as the grey file of its indices: only the header changes, as the pixels of
 * both are stored in the same way. Decoders replace indices by colours, which are no labels. Returns undefined for any
 * other file; a damaged file stays damaged.
 */
export function paletteIndices(file: Uint8Array): Uint8Array | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  return pngIndices(bytes) ?? tiffIndices(bytes);
}

const PNG_START = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
/** The offset of the colour type, and its values. */
const PNG_COLOUR_TYPE = 25;
const PNG_GREY = 0;
const PNG_PALETTE = 3;
/** The chunks that mean the same in a grey file. */
const kept = ['IHDR', 'IDAT', 'IEND', 'eXIf'];

function pngIndices(bytes: Buffer): Uint8Array | undefined {
  if (bytes.length < 33 || !bytes.subarray(0, 16).equals(PNG_START)) return undefined;
  if (bytes[PNG_COLOUR_TYPE] !== PNG_PALETTE) return undefined;
  const header = Buffer.from(bytes.subarray(0, 33));
  header[PNG_COLOUR_TYPE] = PNG_GREY;
  header.writeUInt32BE(crc32(header.subarray(12, 29)), 29);
  const parts: Uint8Array[] = [header];
  let at = header.length;
  while (at + 12 <= bytes.length) {
    const end = at + 12 + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    if (kept.includes(bytes.toString('latin1', at + 4, at + 8))) parts.push(bytes.subarray(at, end));
    at = end;
  }
  parts.push(bytes.subarray(at));
  return Buffer.concat(parts);
}

const TIFF_PHOTOMETRIC = 262;
const TIFF_BLACK_IS_ZERO = 1;
const TIFF_PALETTE = 3;
const TIFF_SHORT = 3;

/** Both kinds of TIFF: with offsets of 4 bytes, and BigTIFF with 8. */
function tiffIndices(bytes: Buffer): Uint8Array | undefined {
  const order = bytes.toString('latin1', 0, 2);
  if (bytes.length < 16 || (order !== 'II' && order !== 'MM')) return undefined;
  const little = order === 'II';
  const short = (at: number) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const long = (at: number) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const wide = (at: number) => Number(little ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
  const big = short(2) === 43;
  if (!big && short(2) !== 42) return undefined;
  const first = big ? wide(8) : long(4);
  const [counted, entry, value] = big ? [8, 20, 12] : [2, 12, 8];
  if (first + counted > bytes.length) return undefined;
  const entries = big ? wide(first) : short(first);
  for (let i = 0; i < entries; i++) {
    const at = first + counted + i * entry;
    if (at + entry > bytes.length) return undefined;
    if (short(at) !== TIFF_PHOTOMETRIC || short(at + 2) !== TIFF_SHORT) continue;
    if (short(at + value) !== TIFF_PALETTE) return undefined;
    const grey = Buffer.from(bytes);
    if (little) grey.writeUInt16LE(TIFF_BLACK_IS_ZERO, at + value);
    else grey.writeUInt16BE(TIFF_BLACK_IS_ZERO, at + value);
    return grey;
  }
  return undefined;
}
