import type { RgbImage } from './image.ts';
import { edgeDistances } from './mask.ts';

/** Colours that are rare in aerial images: for pixels predicted but not true, and for pixels true but not predicted. */
export const wrongColours = { falsePositive: [255, 0, 255], falseNegative: [0, 255, 255] } as const;

type Mask = Uint8Array;
type Colour = readonly [number, number, number];

const lineColour: Colour = [255, 255, 255];

/** Draws the outline of a mask: a white line inside and a dark one outside, so that it is visible on any background. */
export function outlined(image: RgbImage, mask: Mask): RgbImage {
  const data = Uint8Array.from(image.data);
  drawEdge(data, image, mask);
  return { ...image, data };
}

/**
 * Draws the outline of the truth, and stripes over wrong pixels, in one direction for false positives and in the other
 * for false negatives. All other pixels keep their colours, since phrases refer to colours.
 */
export function compared(image: RgbImage, truth: Mask, prediction: Mask): RgbImage {
  const { width } = image;
  const data = Uint8Array.from(image.data);
  const period = stripePeriod(image);
  for (let i = 0; i < truth.length; i++) {
    if (truth[i] === prediction[i]) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    const falsePositive = prediction[i] === 1;
    const along = falsePositive ? x + y : x - y;
    if (((along % period) + period) % period >= period / 3) continue;
    data.set(falsePositive ? wrongColours.falsePositive : wrongColours.falseNegative, i * 3);
  }
  drawEdge(data, image, truth);
  return { ...image, data };
}

function stripePeriod({ width, height }: RgbImage): number {
  return Math.max(6, Math.round(Math.min(width, height) / 40));
}

function drawEdge(data: Uint8Array, { width, height }: RgbImage, mask: Mask): void {
  const radius = Math.max(1, Math.min(width, height) / 320);
  const near = edgeDistances(mask, width, height, Math.ceil(radius) + 1);
  for (let i = 0; i < mask.length; i++) {
    // Coverage of this pixel by the line: 1 up to the radius, then falling to 0 over one pixel.
    const line = Math.max(0, Math.min(1, radius + 0.5 - near[i]!));
    if (line === 0) continue;
    for (let c = 0; c < 3; c++) {
      const v = data[i * 3 + c]!;
      const edge = mask[i] === 1 ? lineColour[c]! : 0.25 * v;
      data[i * 3 + c] = Math.round(v + (edge - v) * line);
    }
  }
}
