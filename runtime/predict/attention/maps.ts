import { resizePlane } from '../../images/resize.ts';

/** Height and width, in pixels. */
export type Size = readonly [height: number, width: number];

/** A map of numbers, in row-major order. */
export interface Plane {
  readonly size: Size;
  readonly data: Float32Array;
}

/** The largest stride of a map. */
const coarsest = 128;

/**
 * Returns the sizes of the maps whose pixels, concatenated from fine to coarse, are `pixels` in number. The maps have
 * different strides, all powers of 2, so there is at most one answer; undefined if there is none.
 */
export function mapsOf(pixels: number, [height, width]: Size): readonly Size[] | undefined {
  const maps: Size[] = [];
  let left = pixels;
  for (let stride = 1; stride <= coarsest && left > 0; stride *= 2) {
    if (height % stride !== 0 || width % stride !== 0) break;
    const size: Size = [height / stride, width / stride];
    if (size[0] * size[1] > left) continue;
    maps.push(size);
    left -= size[0] * size[1];
  }
  return left === 0 && maps.length > 0 ? maps : undefined;
}

/**
 * Combines the concatenated pixels of several maps to one map of the size of the finest. A share of the whole is
 * divided by the area of its pixel, and shares add up; other numbers are averaged over the maps.
 */
export function combined(values: Float32Array, maps: readonly Size[], kind: 'share' | 'mean'): Plane {
  const [finest = [1, 1]] = maps;
  const data = new Float32Array(finest[0] * finest[1]);
  let at = 0;
  for (const size of maps) {
    const count = size[0] * size[1];
    const plane = resizePlane(values.slice(at, at + count), size, finest);
    const factor = kind === 'share' ? count / data.length : 1 / maps.length;
    for (let i = 0; i < data.length; i++) data[i]! += plane[i]! * factor;
    at += count;
  }
  return { size: finest, data };
}

export function mean(planes: readonly Plane[]): Plane {
  const [first] = planes;
  if (!first) throw new Error('bug in crobc: the mean of no maps');
  const data = new Float32Array(first.data.length);
  for (const plane of planes) for (let i = 0; i < data.length; i++) data[i]! += plane.data[i]! / planes.length;
  return { size: first.size, data };
}

export function range({ data }: Plane): { readonly low: number; readonly high: number } {
  let [low, high] = [Infinity, -Infinity];
  for (const x of data) {
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  return { low, high };
}
