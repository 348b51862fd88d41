import { UserError } from '../files/user-error.ts';
import type { RgbImage } from './image.ts';
import { loadSharp } from './load-sharp.ts';
import { resizePlane } from './resize.ts';

/** What a model says about every pixel of an image: [height, width] planes, row by row. */
export interface Segmentation {
  readonly width: number;
  readonly height: number;
  /** 1 where the logit is positive, else 0. */
  readonly mask: Uint8Array;
  /** sigmoid(logit), 0…1. */
  readonly probability: Float32Array;
}

/** Why logits are no numbers, where nothing more is known. */
export const damaged = 'its weights or its input are damaged';

/**
 * Logits [height, width] → mask and probabilities at the size of the image; logits are resized before they are
 * compared, so that outlines are smooth. Throws a UserError where the model gave something that is not a number.
 */
export function segment(
  logits: Float32Array,
  size: readonly [height: number, width: number],
  image: readonly [height: number, width: number],
): Segmentation {
  const plane = resizePlane(logits, size, image);
  const mask = new Uint8Array(plane.length);
  const probability = new Float32Array(plane.length);
  for (let i = 0; i < plane.length; i++) {
    const y = plane[i]!;
    if (Number.isNaN(y)) throw new UserError(`the model gave logits that are not numbers: ${damaged}`);
    mask[i] = y > 0 ? 1 : 0;
    probability[i] = 1 / (1 + Math.exp(-y));
  }
  return { width: image[1], height: image[0], mask, probability };
}

export interface MaskStatistics {
  /** Pixels in the mask, and their share of the image. */
  readonly area: number;
  readonly fraction: number;
  /** Smallest box around the mask in pixels; right and bottom are outside it. Undefined when the mask is empty. */
  readonly box:
    | { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number }
    | undefined;
  /** Mean probability over the mask; undefined when it is empty. */
  readonly score: number | undefined;
}

export function maskStatistics({ width, height, mask, probability }: Segmentation): MaskStatistics {
  let [area, total] = [0, 0];
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      if (mask[at] === 0) continue;
      area++;
      total += probability[at]!;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = y + 1;
    }
  }
  const empty = area === 0;
  return {
    area,
    fraction: area / (width * height),
    box: empty ? undefined : { left, top, right, bottom },
    score: empty ? undefined : total / area,
  };
}

/** An 8-bit grey PNG, 255 in the mask and 0 elsewhere. */
export async function encodeMask({
  width,
  height,
  mask,
}: Pick<Segmentation, 'width' | 'height' | 'mask'>): Promise<Buffer> {
  const sharp = await loadSharp();
  const grey = mask.map((v) => (v === 0 ? 0 : 255));
  return sharp(grey, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png({ compressionLevel: 9 })
    .toBuffer();
}

/** An 8-bit grey PNG of probabilities, 255 for 1. */
export async function encodeProbability({ width, height, probability }: Segmentation): Promise<Buffer> {
  const sharp = await loadSharp();
  const grey = Uint8Array.from(probability, (p) => Math.round(p * 255));
  return sharp(grey, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png({ compressionLevel: 9 })
    .toBuffer();
}

export async function encodeImage({ width, height, data }: RgbImage): Promise<Buffer> {
  const sharp = await loadSharp();
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
}

const TINT = [255, 45, 85] as const;
const LINE = [255, 255, 255] as const;

/**
 * The image with the mask shown on it: tinted inside, a white line along its inner edge with a dark one outside (so
 * that it is seen on any ground), and the rest a little darker. The line's width follows the image's size.
 */
export function overlay(
  image: RgbImage,
  { width, height, mask }: Pick<Segmentation, 'width' | 'height' | 'mask'>,
): RgbImage {
  if (image.width !== width || image.height !== height) {
    throw new Error(`bug in crobc: a mask of ${width} × ${height} for an image of ${image.width} × ${image.height}`);
  }
  const radius = Math.max(1, Math.min(width, height) / 320);
  const near = edgeDistances(mask, width, height, Math.ceil(radius) + 1);
  const data = new Uint8Array(image.data.length);
  for (let i = 0; i < mask.length; i++) {
    const inside = mask[i] === 1;
    const distance = near[i]!;
    // Share of the line in this pixel: full up to the radius, then fading over one pixel.
    const line = Math.max(0, Math.min(1, radius + 0.5 - distance));
    for (let c = 0; c < 3; c++) {
      const v = image.data[i * 3 + c]!;
      const ground = inside ? 0.55 * v + 0.45 * TINT[c]! : 0.72 * v;
      const edge = inside ? LINE[c]! : 0.25 * v;
      data[i * 3 + c] = Math.round(ground + (edge - ground) * line);
    }
  }
  return { width, height, channels: 3, data };
}

/** For every pixel the distance to the nearest pixel on the other side of the mask's edge, less ½; Infinity beyond `most`. */
export function edgeDistances(mask: Uint8Array, width: number, height: number, most: number): Float32Array {
  const distance = new Float32Array(mask.length).fill(Infinity);
  const offsets: { readonly dx: number; readonly dy: number; readonly d: number }[] = [];
  for (let dy = -most; dy <= most; dy++) {
    for (let dx = -most; dx <= most; dx++) {
      const d = Math.hypot(dx, dy) - 0.5;
      if (d > 0 && d <= most) offsets.push({ dx, dy, d });
    }
  }
  const at = (x: number, y: number) => (x < 0 || y < 0 || x >= width || y >= height ? undefined : mask[y * width + x]);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const side = at(x, y)!;
      const onEdge = [at(x - 1, y), at(x + 1, y), at(x, y - 1), at(x, y + 1)].some(
        (v) => v !== undefined && v !== side,
      );
      if (!onEdge) continue;
      for (const { dx, dy, d } of offsets) {
        const other = at(x + dx, y + dy);
        if (other === undefined || other === side) continue;
        const index = (y + dy) * width + x + dx;
        if (d < distance[index]!) distance[index] = d;
      }
    }
  }
  return distance;
}
