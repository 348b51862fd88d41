import { writeFileAtomic } from '../files/atomic-file.ts';
import { UserError } from '../files/user-error.ts';
import type { RgbImage } from '../images/image.ts';
import { loadSharp } from '../images/load-sharp.ts';
import { encodeImage } from '../images/mask.ts';
import { weather } from '../images/weather.ts';
import { philoxFill } from '../tensors/philox.ts';
import { SCENE_HEIGHT, SCENE_WIDTH, sceneSvg } from './demo-scene-svg.ts';

export interface SceneOptions {
  readonly seed?: number;
  readonly width?: number;
  readonly height?: number;
}

/**
 * Draws an invented aerial image for demonstrations. Deterministic in seed and size.
 * Throws a UserError for an invalid size.
 */
export async function drawDemoScene(options: SceneOptions = {}): Promise<RgbImage> {
  const { seed = 0, width = SCENE_WIDTH, height = SCENE_HEIGHT } = options;
  if (!(width >= 1 && height >= 1 && width * height <= 100_000_000)) {
    throw new UserError(`a scene of ${width} × ${height} pixels cannot be drawn`);
  }
  const sharp = await loadSharp();
  const svg = sceneSvg(uniforms(seed), width, height);
  const { data } = await sharp(Buffer.from(svg)).flatten().raw().toBuffer({ resolveWithObject: true });
  const image: RgbImage = { width, height, channels: 3, data: new Uint8Array(data) };
  const scale = Math.max(width / SCENE_WIDTH, height / SCENE_HEIGHT);
  weather(image, (stream, count) => words(seed, stream, count), scale);
  return image;
}

/** Draws a scene and writes it as a PNG file. */
export async function writeDemoScene(path: string, options: SceneOptions = {}): Promise<void> {
  await writeFileAtomic(path, await encodeImage(await drawDemoScene(options)));
}

/** Random stream of the shapes; `weather` uses the streams from 2 on. */
const SHAPES = 1;

function words(seed: number, stream: number, count: number): Uint32Array {
  const out = new Uint32Array(count);
  philoxFill(out, { key: [seed >>> 0, 0x5ce9e], stream: [stream, 0] });
  return out;
}

function uniforms(seed: number): () => number {
  const drawn = words(seed, SHAPES, 4096);
  let at = 0;
  return () => drawn[at++ % drawn.length]! / 2 ** 32;
}
