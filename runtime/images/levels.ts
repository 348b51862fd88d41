/** Percentiles between which a band is stretched to the full range, as GIS programs do; or none. */
export type Stretch = 'none' | { readonly low: number; readonly high: number };

/** The values of a band that become 0 and 255. */
export interface Levels {
  readonly low: number;
  readonly high: number;
}

/** Values of 16 bits, signed or not, are counted one by one. */
const counted = 2 ** 17;
const zero = 2 ** 15;
/** Number of values that are kept of a band whose values cannot be counted. */
const mostKept = 2 ** 22;

/**
 * Finds percentiles of the values of a band. Integers of up to 16 bits are counted, and the percentiles are exact. Of
 * other values, every k-th is kept, so that at most four million are; k depends on their number alone.
 */
export class ValueCounts {
  readonly #counts: Float64Array | undefined;
  readonly #kept: Float32Array;
  readonly #nodata: number | undefined;
  #length = 0;
  #every = 1;
  #skip = 0;
  #total = 0;

  constructor(whole: boolean, nodata?: number) {
    this.#counts = whole ? new Float64Array(counted) : undefined;
    this.#kept = new Float32Array(whole ? 0 : mostKept);
    this.#nodata = nodata === undefined ? undefined : Math.fround(nodata);
  }

  /** Adds every `stride`-th value from `first`. NaN, infinite values and those without data are left out. */
  add(values: ArrayLike<number>, first: number, stride: number): void {
    for (let i = first; i < values.length; i += stride) {
      const value = values[i]!;
      if (!Number.isFinite(value) || value === this.#nodata) continue;
      this.#total++;
      if (this.#counts) this.#counts[value + zero]!++;
      else if (this.#skip > 0) this.#skip--;
      else this.#keep(value);
    }
  }

  /** Whether there was a value. */
  get isEmpty(): boolean {
    return this.#total === 0;
  }

  /** The least value that is not below `percent` of all: numpy's `percentile(…, method='inverted_cdf')`. */
  percentile(percent: number): number {
    if (this.#counts) {
      const wanted = Math.max(1, Math.ceil((percent / 100) * this.#total));
      let before = 0;
      for (const [i, count] of this.#counts.entries()) {
        before += count;
        if (before >= wanted) return i - zero;
      }
      return 0;
    }
    const sorted = this.#kept.slice(0, this.#length).sort();
    return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
  }

  #keep(value: number): void {
    if (this.#length === mostKept) {
      this.#length = mostKept / 2;
      this.#every *= 2;
      for (let i = 0; i < this.#length; i++) this.#kept[i] = this.#kept[2 * i]!;
    }
    this.#kept[this.#length++] = value;
    this.#skip = this.#every - 1;
  }
}

/**
 * Maps interleaved values to bytes, by the levels of each channel; rounds, and clamps at 0 and 255. A value without data
 * or that is NaN becomes 0.
 */
export class ByteMap {
  readonly #levels: readonly Levels[];
  readonly #missing: number | undefined;
  /** For each channel, the bytes of all values from 0 to 65,535; undefined if there are other values. */
  readonly #tables: readonly Uint8Array[] | undefined;

  /** `whole` states that all values are integers from 0 to 65,535, which are then looked up. */
  constructor(levels: readonly Levels[], whole: boolean, nodata?: number) {
    this.#levels = levels;
    this.#missing = nodata === undefined ? undefined : Math.fround(nodata);
    this.#tables = whole
      ? levels.map((level) => Uint8Array.from({ length: 2 ** 16 }, (_, value) => this.#byte(value, level)))
      : undefined;
  }

  bytes(values: ArrayLike<number>): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(values.length);
    const channels = this.#levels.length;
    for (const [channel, level] of this.#levels.entries()) {
      const table = this.#tables?.[channel];
      if (table) for (let i = channel; i < values.length; i += channels) out[i] = table[values[i]!]!;
      else for (let i = channel; i < values.length; i += channels) out[i] = this.#byte(values[i]!, level);
    }
    return out;
  }

  #byte(value: number, { low, high }: Levels): number {
    const span = high - low;
    const share = span === 0 ? Number(value > low) : (value - low) / span;
    // A comparison with NaN is false.
    return share > 0 && value !== this.#missing ? Math.round(Math.min(1, share) * 255) : 0;
  }
}
