import { IMAGENET_MEAN, IMAGENET_STD } from '../normalise.ts';
import type { Pixels } from '../resize.ts';
import { type Filter, fixedPoint, triangle } from './filter.ts';
import {
  COLUMNS_AT_ONCE,
  LOW_BITS,
  OFFSET_BYTES,
  PAIR_BYTES,
  PIXELS_AT_ONCE,
  ROWS_AT_ONCE,
  TAPS_AT_ONCE,
  TAPS_BYTES,
} from './kernels.ts';
import type { Kernels } from './load-kernels.ts';

const PAGE = 2 ** 16;
/** Bytes of the image that are copied to the kernels at once, at least a row. */
const STRIP = 2 ** 16;
/** Number of rows of the result that are copied from them at once. */
const ROWS_OUT = 16;
/** Number of filtered rows that are held besides those of which a row of the result is made, so that few are moved. */
const SPARE_ROWS = 32;
/** Vectors read and write up to this many bytes beyond what counts. */
const BEYOND = 64;

/** Resizes and normalises images with vector instructions, a few rows at a time, in memory that it keeps. */
export class Resampler {
  readonly #kernels: Kernels;

  constructor(kernels: Kernels) {
    this.#kernels = kernels;
  }

  /**
   * Writes RGB, resized to [height, width] and normalised, to `out` as [3, height, width]: the same numbers as
   * `normalise(resizeBilinear(image, width, height))`, with `mirrored` each row from right to left.
   */
  run({ data, ...image }: Pixels, height: number, width: number, mirrored: boolean, out: Float32Array): void {
    const sourceRow = image.width * 3;
    if (data.length !== image.height * sourceRow || out.length !== 3 * height * width)
      throw new Error(
        `bug in crobc: ${data.length} bytes of ${image.width} × ${image.height} for ${out.length} numbers`,
      );
    const columns = columnTable(fixedPoint(triangle(image.width, width)), mirrored);
    const rows = rowTable(fixedPoint(triangle(image.height, height)));
    const stripRows = Math.min(image.height, Math.max(1, Math.floor(STRIP / sourceRow)));
    const planeRow = roundUp(width, COLUMNS_AT_ONCE);
    const heldRow = 3 * planeRow;
    const held = 2 * rows.read + SPARE_ROWS;
    const planeOut = ROWS_OUT * width * 4 + BEYOND;

    const areas = new Areas();
    const statistics = areas.add(3 * 8);
    const columnsAt = areas.add(columns.table.byteLength);
    const rowsAt = areas.add(rows.table.byteLength);
    const stripAt = areas.add(stripRows * sourceRow + columns.readBeyond);
    const heldAt = areas.add(held * heldRow);
    const outAt = [0, 1, 2].map(() => areas.add(planeOut));
    const { memory, filterRow, filterColumns } = this.#kernels;
    const missing = areas.size - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    const bytes = new Uint8Array(memory.buffer);
    const floats = new Float32Array(memory.buffer);
    floats.set(
      IMAGENET_MEAN.flatMap((mean, c) => [mean, IMAGENET_STD[c]!]),
      statistics / 4,
    );
    bytes.set(new Uint8Array(columns.table.buffer), columnsAt);
    bytes.set(new Uint8Array(rows.table.buffer), rowsAt);

    // Filtered rows from `base` on are held, up to `filtered`. Rows from `strip` on are copied, up to `copied`.
    let [base, filtered, strip, copied] = [0, 0, 0, 0];
    for (let y = 0; y < height; y++) {
      const from = rows.first[y]!;
      if (from - base + rows.read > held) {
        bytes.copyWithin(heldAt, heldAt + (from - base) * heldRow, heldAt + (filtered - base) * heldRow);
        base = from;
      }
      for (const end = from + rows.count[y]!; filtered < end; filtered++) {
        if (filtered === copied) {
          strip = copied;
          copied = Math.min(image.height, strip + stripRows);
          bytes.set(data.subarray(strip * sourceRow, copied * sourceRow), stripAt);
        }
        const source = stripAt + (filtered - strip) * sourceRow;
        const red = heldAt + (filtered - base) * heldRow;
        const [green, blue] = [red + planeRow, red + 2 * planeRow];
        filterRow(source, columnsAt, columns.tapsBytes, red, green, blue, red + width);
      }
      const line = y % ROWS_OUT;
      const weights = rowsAt + y * rows.entryBytes;
      for (const [c, plane] of outAt.entries()) {
        const source = heldAt + (from - base) * heldRow + c * planeRow;
        const to = plane + line * width * 4;
        filterColumns(source, heldRow, weights, weights + rows.entryBytes, to, to + width * 4, statistics + c * 8);
      }
      if (line < ROWS_OUT - 1 && y < height - 1) continue;
      for (const [c, plane] of outAt.entries()) {
        const lines = floats.subarray(plane / 4, plane / 4 + (line + 1) * width);
        out.set(lines, (c * height + y - line) * width);
      }
    }
  }
}

/** Areas of memory, one after the other, each at a multiple of 16 bytes. */
class Areas {
  size = 0;

  add(bytes: number): number {
    const start = this.size;
    this.size = roundUp(start + bytes, 16);
    return start;
  }
}

const roundUp = (value: number, multiple: number) => Math.ceil(value / multiple) * multiple;

/** Two weights of 16 bits in a word: their upper bits, or their lower ones. */
const upper = (first: number, second: number) => (first >> LOW_BITS) | ((second >> LOW_BITS) << 16);
const lower = (first: number, second: number) => (first & LOW_MASK) | ((second & LOW_MASK) << 16);
const LOW_MASK = (1 << LOW_BITS) - 1;

/** The table of `filterRow`, filled up to the number of pixels that it gives at once. */
function columnTable({ taps, first, count, weights }: Filter<Int32Array>, mirrored: boolean) {
  const width = first.length;
  const groups = Math.ceil(largest(count) / TAPS_AT_ONCE);
  const entry = (OFFSET_BYTES + groups * TAPS_BYTES) / 4;
  const table = new Int32Array(roundUp(width, PIXELS_AT_ONCE) * entry);
  for (let x = 0; x < width; x++) {
    const column = mirrored ? width - 1 - x : x;
    const weight = (tap: number) => (tap < count[column]! ? weights[column * taps + tap]! : 0);
    table[x * entry] = first[column]! * 3;
    for (let group = 0; group < groups; group++) {
      const tap = group * TAPS_AT_ONCE;
      const [a, b, c, d] = [weight(tap), weight(tap + 1), weight(tap + 2), weight(tap + 3)];
      table.set([upper(a, b), upper(c, d), lower(a, b), lower(c, d)], x * entry + 1 + group * 4);
    }
  }
  const tapsBytes = groups * TAPS_BYTES;
  return { table, tapsBytes, readBeyond: groups * TAPS_AT_ONCE * 3 + BEYOND };
}

/** The weights of `filterColumns` for each row of the result, for which it reads `read` rows. */
function rowTable({ taps, first, count, weights }: Filter<Int32Array>) {
  const pairs = Math.ceil(largest(count) / ROWS_AT_ONCE);
  const entryBytes = pairs * PAIR_BYTES;
  const table = new Int32Array((first.length * entryBytes) / 4);
  for (let y = 0; y < first.length; y++) {
    const weight = (tap: number) => (tap < count[y]! ? weights[y * taps + tap]! : 0);
    for (let pair = 0; pair < pairs; pair++) {
      const [a, b] = [weight(2 * pair), weight(2 * pair + 1)];
      table.set([upper(a, b), lower(a, b)], (y * entryBytes) / 4 + 2 * pair);
    }
  }
  return { table, first, count, read: pairs * ROWS_AT_ONCE, entryBytes };
}

const largest = (counts: Int32Array): number => counts.reduce((a, b) => Math.max(a, b), 0);
