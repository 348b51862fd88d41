import { writeFileAtomic } from './atomic-file.ts';
import { SCENE_HEIGHT, SCENE_WIDTH, sceneSvg } from './demo-scene-svg.ts';
import type { RgbImage } from './image.ts';
import { encodeImage } from './mask.ts';
import { philoxFill } from './philox.ts';
import { UserError } from './user-error.ts';

export interface SceneOptions {
  readonly seed?: number;
  readonly width?: number;
  readonly height?: number;
}

/** An invented aerial image for demonstrations: the same for the same seed and size. */
export async function drawDemoScene(options: SceneOptions = {}): Promise<RgbImage> {
  const { seed = 0, width = SCENE_WIDTH, height = SCENE_HEIGHT } = options;
  if (!(width >= 1 && height >= 1 && width * height <= 100_000_000)) {
    throw new UserError(`a scene of ${width} × ${height} pixels cannot be drawn`);
  }
  const { default: sharp } = await import('sharp');
  const svg = sceneSvg(uniforms(seed), width, height);
  const { data } = await sharp(Buffer.from(svg)).flatten().raw().toBuffer({ resolveWithObject: true });
  const image: RgbImage = { width, height, channels: 3, data: new Uint8Array(data) };
  weather(image, seed);
  return image;
}

/** Draws a scene into a PNG file. */
export async function writeDemoScene(path: string, options: SceneOptions = {}): Promise<void> {
  await writeFileAtomic(path, await encodeImage(await drawDemoScene(options)));
}

const streams = { shapes: 1, grain: 2, patches: 3 } as const;

function words(seed: number, stream: number, count: number): Uint32Array {
  const out = new Uint32Array(count);
  philoxFill(out, { key: [seed >>> 0, 0x5ce9e], stream: [stream, 0] });
  return out;
}

function uniforms(seed: number): () => number {
  const drawn = words(seed, streams.shapes, 4096);
  let at = 0;
  return () => drawn[at++ % drawn.length]! / 2 ** 32;
}

/** What makes it look like a photograph: uneven ground in three sizes, grain, and a slightly bluish haze. */
function weather({ width, height, data }: RgbImage, seed: number): void {
  const grain = words(seed, streams.grain, width * height);
  const scale = Math.max(width / SCENE_WIDTH, height / SCENE_HEIGHT);
  const uneven = new Float32Array(width * height);
  for (const [i, [cell, strength]] of patches.entries()) {
    addNoise(uneven, width, words(seed, streams.patches + i, GRID), cell * scale, strength);
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

/** Sizes in scene units, and how much lightness they change at most. */
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
