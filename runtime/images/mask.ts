import { UserError } from '../files/user-error.ts';
import type { RgbImage } from './image.ts';
import { loadSharp } from './load-sharp.ts';
import { resizePlane } from './resize.ts';

/** A model's prediction for every pixel of an image: [height, width] planes in row-major order. */
export interface Segmentation {
  readonly width: number;
  readonly height: number;
  /** 1 if the logit is positive, else 0. */
  readonly mask: Uint8Array;
  /** sigmoid(logit), 0…1. */
  readonly probability: Float32Array;
}

/** A pixel belongs to the mask if its probability is greater than this, which is if its logit is positive. */
export const threshold = 0.5;

/** The reason given for NaN or infinite logits if no cause was found. */
export const damaged = 'its weights or its input are damaged';

/**
 * Converts logits [height, width] to a mask and probabilities at the size of the image. Logits are resized before they
 * are thresholded, so that outlines are smooth. Throws a UserError if a logit is NaN or infinite.
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
  /** Number of pixels in the mask, and their share of the image. */
  readonly area: number;
  readonly fraction: number;
  /** Bounding box of the mask in pixels; right and bottom are exclusive. Undefined if the mask is empty. */
  readonly box:
    | { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number }
    | undefined;
  /** Mean probability over the mask; undefined if it is empty. */
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

/** Encodes the mask as an 8-bit grey PNG: 255 inside, 0 outside. */
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

/** Encodes the probabilities as an 8-bit grey PNG; 255 is 1. */
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
 * Draws the mask on the image: tinted inside, darker outside, with a white line along the inside of its edge and a dark
 * one along the outside, so that it is visible on any background. The line width is proportional to the image size.
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
    // Coverage of this pixel by the line: 1 up to the radius, then falling to 0 over one pixel.
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

/**
 * Returns each pixel's distance to the nearest pixel on the other side of the
 * mask's edge, minus ½; Infinity above `most`.
 */
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
