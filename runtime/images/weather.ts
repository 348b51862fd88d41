import type { RgbImage } from './image.ts';

/** Returns random 32-bit words of a stream; deterministic in the stream. */
export type RandomWords = (stream: number, count: number) => Uint32Array;

const streams = { grain: 2, patches: 3 } as const;

/**
 * Makes a drawing look like a photograph, in place: uneven brightness at three scales, grain, and a slightly bluish
 * haze. `scale` is the number of pixels per unit of the sizes below.
 */
export function weather({ width, height, data }: RgbImage, words: RandomWords, scale: number): void {
  const grain = words(streams.grain, width * height);
  const uneven = new Float32Array(width * height);
  for (const [i, [cell, strength]] of patches.entries()) {
    addNoise(uneven, width, words(streams.patches + i, GRID), cell * scale, strength);
  }
  for (let at = 0; at < uneven.length; at++) {
    const word = grain[at]!;
    // The difference of two random bytes, from -255 to 255, has a triangular distribution.
    const change = ((word & 255) - ((word >>> 8) & 255)) * 0.028 + uneven[at]!;
    for (let c = 0; c < 3; c++) {
      const v = data[at * 3 + c]!;
      // Very bright and very dark colours change less than those between.
      const share = 0.55 + 1.8 * (v / 255) * (1 - v / 255);
      const tint = ((word >>> (16 + 4 * c)) & 15) * 0.25 - 2;
      data[at * 3 + c] = Math.max(0, Math.min(255, Math.round((v + change * share + tint) * 0.95 + haze[c]!)));
    }
  }
}

const haze = [6, 8, 11] as const;

/** Cell sizes and amplitudes of the brightness noise. */
const patches = [
  [48, 9],
  [14, 7],
  [4, 8],
] as const;

/** Number of random values per noise; a power of two. */
const GRID = 1 << 12;

/**
 * Adds smooth noise of ±strength/2 to a plane, interpolated from a grid of random values with `cell` pixels per cell.
 */
function addNoise(plane: Float32Array, width: number, random: Uint32Array, cell: number, strength: number): void {
  const value = (i: number, j: number) => random[(i * 73 + j * 1511) & (GRID - 1)]! / 2 ** 32;
  const ease = (t: number) => t * t * (3 - 2 * t);
  const height = plane.length / width;
  for (let y = 0; y < height; y++) {
    const j = Math.floor(y / cell);
    const v = ease(y / cell - j);
    for (let x = 0; x < width; x++) {
      const i = Math.floor(x / cell);
      const u = ease(x / cell - i);
      const top = value(i, j) * (1 - u) + value(i + 1, j) * u;
      const bottom = value(i, j + 1) * (1 - u) + value(i + 1, j + 1) * u;
      plane[y * width + x]! += (top * (1 - v) + bottom * v - 0.5) * strength;
    }
  }
}
