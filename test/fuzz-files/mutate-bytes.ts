import type { Draw } from '../draws.ts';

/** A change of a file's bytes; `others` are files of the same kind. */
type Change = (bytes: Buffer, draw: Draw, others: readonly Buffer[]) => Buffer;

/** Sizes and counts that a field is not meant to have, by its width in bytes. */
const numbers: Readonly<Record<number, readonly bigint[]>> = {
  1: [0n, 1n, 0x7fn, 0x80n, 0xffn],
  2: [0n, 1n, 0x7fffn, 0x8000n, 0xffffn],
  4: [0n, 1n, 0x10000n, 0x7fffffffn, 0x80000000n, 0xffffffffn],
  8: [0n, 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
};

/** Numbers in text that are too large, too small or not what is wanted. */
const digits = ['0', '-1', '1.5', '1e9', '1e999', '4294967296', '9007199254740993', '18446744073709551616', '1e-400'];

const nesting = ['[', '{"a":', '(', '<a>'];

/** Changes that know nothing of what is in a file. */
const changes: readonly Change[] = [
  function flip(bytes, draw) {
    const out = Buffer.from(bytes);
    for (let n = 1 + draw.below(4); n > 0 && out.length > 0; n--) {
      const at = draw.below(out.length);
      out[at] = out[at]! ^ (1 << draw.below(8));
    }
    return out;
  },
  function overwrite(bytes, draw) {
    const out = Buffer.from(bytes);
    const from = place(out, draw);
    for (let i = from; i < Math.min(out.length, from + 1 + draw.below(8)); i++) out[i] = draw.below(256);
    return out;
  },
  function cutEnd(bytes, draw) {
    return bytes.subarray(0, place(bytes, draw));
  },
  function cutMiddle(bytes, draw) {
    const from = place(bytes, draw);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + draw.below(32))]);
  },
  function insert(bytes, draw) {
    const at = place(bytes, draw);
    const one = draw.below(256);
    const more = Buffer.from(Array.from({ length: 1 + draw.below(32) }, () => (draw.once(2) ? one : draw.below(256))));
    return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
  },
  function repeat(bytes, draw) {
    const from = place(bytes, draw);
    const piece = bytes.subarray(from, from + 1 + draw.below(64));
    const times = draw.once(20) ? 1000 : 1 + draw.below(8);
    return Buffer.concat([
      bytes.subarray(0, from),
      ...Array.from({ length: times }, () => piece),
      bytes.subarray(from),
    ]);
  },
  function splice(bytes, draw, others) {
    const other = draw.of(others);
    return Buffer.concat([bytes.subarray(0, place(bytes, draw)), other.subarray(place(other, draw))]);
  },
  function hugeField(bytes, draw) {
    const out = Buffer.from(bytes);
    const width = draw.of([1, 2, 4, 8]);
    if (out.length < width) return out;
    const at = draw.below(out.length - width + 1);
    const number = draw.of(numbers[width]!);
    const little = draw.once(2);
    for (let i = 0; i < width; i++)
      out[little ? at + i : at + width - 1 - i] = Number((number >> BigInt(8 * i)) & 0xffn);
    return out;
  },
  function hugeDigits(bytes, draw) {
    const text = bytes.toString('latin1');
    const found = [...text.matchAll(/\d+/g)];
    if (found.length === 0) return bytes;
    const { 0: old, index } = draw.of(found);
    return Buffer.from(text.slice(0, index) + draw.of(digits) + text.slice(index + old.length), 'latin1');
  },
  function nest(bytes, draw) {
    const at = place(bytes, draw);
    const deep = Buffer.from(draw.of(nesting).repeat(draw.once(20) ? 20_000 : draw.of([10, 300])));
    return Buffer.concat([bytes.subarray(0, at), deep, bytes.subarray(at)]);
  },
];

function place(bytes: Buffer, draw: Draw): number {
  return draw.below(bytes.length + 1);
}

/** One to four changes, few more often than many. */
export function mutateBytes(bytes: Buffer, draw: Draw, others: readonly Buffer[]): Buffer {
  let changed = bytes;
  do changed = draw.of(changes)(changed, draw, others);
  while (draw.once(3));
  return changed;
}
