/**
 * For each output sample: the first input sample, their number and their weights. `taps` is the stride of `weights`.
 */
export interface Filter<W> {
  readonly taps: number;
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: W;
}

/** A triangle filter, scaled up when shrinking: Pillow's `precompute_coeffs` (src/libImaging/Resample.c). */
export function triangle(from: number, to: number): Filter<Float64Array> {
  const scale = from / to;
  const support = Math.max(scale, 1);
  const taps = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Float64Array(to * taps);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(from, Math.trunc(centre + support + 0.5));
    let total = 0;
    for (let j = start; j < end; j++) {
      const weight = Math.max(0, 1 - Math.abs((j - centre + 0.5) / support));
      weights[i * taps + j - start] = weight;
      total += weight;
    }
    for (let k = 0; k < end - start; k++) weights[i * taps + k]! /= total;
    first[i] = start;
    count[i] = end - start;
  }
  return { taps, first, count, weights };
}

/** Fraction bits of Pillow's fixed-point weights: 32 minus 8 for the pixel and 2 in reserve. */
export const FRACTION_BITS = 22;

export function fixedPoint(filter: Filter<Float64Array>): Filter<Int32Array> {
  const weights = new Int32Array(filter.weights.length);
  for (let i = 0; i < weights.length; i++) weights[i] = Math.trunc(0.5 + filter.weights[i]! * 2 ** FRACTION_BITS);
  return { ...filter, weights };
}
