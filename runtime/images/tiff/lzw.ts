import { TiffFault } from './directory.ts';

const CLEAR = 256;
const END = 257;
const mostCodes = 4096;

/**
 * Decompresses LZW as TIFF has it: codes of 9 to 12 bits, the highest bit first, one code wider one entry early (TIFF
 * 6.0, section 13). Returns at most `most` bytes.
 */
export function decodeLzw(data: Uint8Array, most: number): Uint8Array {
  const out = new Uint8Array(most);
  /** Each entry is the entry before it and a last byte; `lengths` is that of the whole string. */
  const prefix = new Uint16Array(mostCodes);
  const last = new Uint8Array(mostCodes);
  const lengths = new Uint16Array(mostCodes);
  for (let i = 0; i < 256; i++) {
    last[i] = i;
    lengths[i] = 1;
  }
  let next = END + 1;
  let width = 9;
  let old = -1;
  let at = 0;
  let bits = 0;
  let held = 0;
  let first = 0;
  for (const byte of data) {
    held = ((held << 8) | byte) & 0xfffff;
    bits += 8;
    if (bits < width) continue;
    bits -= width;
    const code = (held >> bits) & ((1 << width) - 1);
    if (code === END) break;
    if (code === CLEAR) {
      [next, width, old] = [END + 1, 9, -1];
      continue;
    }
    const known = code < 256 || (code > END && code < next);
    if (old === -1 ? code > 255 : !known && code !== next)
      throw new TiffFault('the image is truncated or damaged (LZW)');
    // A code that is not in the table yet is the string before it and the first byte of that.
    const from = known ? code : old;
    const length = lengths[from]! + (known ? 0 : 1);
    let entry = from;
    let place = at + lengths[from]! - 1;
    for (; place >= at; place--) {
      if (place < most) out[place] = last[entry]!;
      first = last[entry]!;
      entry = prefix[entry]!;
    }
    if (!known && at + length - 1 < most) out[at + length - 1] = first;
    at += length;
    if (at >= most) return out;
    if (old !== -1 && next < mostCodes) {
      prefix[next] = old;
      last[next] = first;
      lengths[next] = lengths[old]! + 1;
      next++;
    }
    if (next + 1 >= 1 << width && width < 12) width++;
    old = code;
  }
  return out.subarray(0, at);
}
