import type { RgbImage } from './image.ts';

/** Random 32-bit words of one of a few streams; the same for the same stream. */
export type RandomWords = (stream: number, count: number) => Uint32Array;

const streams = { grain: 2, patches: 3 } as const;

/**
 * What makes a drawing look like a photograph: uneven ground in three sizes, grain, and a slightly bluish haze.
 * Changes the image; `scale` is pixels for each unit of the sizes below.
 */
export function weather({ width, height, data }: RgbImage, words: RandomWords, scale: number): void {
  const grain = words(streams.grain, width * height);
  const uneven = new Float32Array(width * height);
  for (const [i, [cell, strength]] of patches.entries()) {
    addNoise(uneven, width, words(streams.patches + i, GRID), cell * scale, strength);
  }
  for (let at = 0; at < uneven.length; at++) {
    const word = grain[at]!;
    // The difference of two bytes is nearly bell-shaped: -255 … 255.
    const change = ((word & 255) - ((word >>> 8) & 255)) * 0.028 + uneven[at]!;
    for (let c = 0; c < 3; c++) {
      const v = data[at * 3 + c]!;
      // Bright and dark paint both change a little less than the ground between them.
      const share = 0.55 + 1.8 * (v / 255) * (1 - v / 255);
      const tint = ((word >>> (16 + 4 * c)) & 15) * 0.25 - 2;
      data[at * 3 + c] = Math.max(0, Math.min(255, Math.round((v + change * share + tint) * 0.95 + haze[c]!)));
    }
  }
}

const haze = [6, 8, 11] as const;

/** Sizes, and how much lightness they change at most. */
const patches = [
  [48, 9],
  [14, 7],
  [4, 8],
] as const;

/** Random values of a noise; a power of two. */
const GRID = 1 << 12;

/** Adds smooth noise of ±strength/2 to a plane, from random values on a grid of `cell` pixels. */
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
