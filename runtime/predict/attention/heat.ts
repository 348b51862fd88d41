import type { RgbImage } from '../../images/image.ts';
import { resizeBilinear, resizePlane } from '../../images/resize.ts';
import { type Plane, range, type Size } from './maps.ts';

/** Colours from the lowest to the highest value, at equal distances. */
export const heatColours: readonly (readonly [red: number, green: number, blue: number])[] = [
  [24, 24, 96],
  [32, 104, 208],
  [64, 190, 170],
  [250, 222, 70],
  [206, 32, 38],
];

function colourAt(share: number, channel: 0 | 1 | 2): number {
  const at = Math.max(0, Math.min(1, share)) * (heatColours.length - 1);
  const low = Math.min(heatColours.length - 2, Math.floor(at));
  const [from, to] = [heatColours[low]!, heatColours[low + 1]!];
  return from[channel] + (to[channel] - from[channel]) * (at - low);
}

/** The share of the colours of a heat map over the grey image. */
const opacity = 0.6;

/**
 * Draws a map over the image in grey, at the size of the image: blue where it is lowest, red where it is highest. A map
 * that is the same everywhere is drawn in the middle colour.
 */
export function heatPicture(image: RgbImage, plane: Plane): RgbImage {
  const { width, height } = image;
  const { low, high } = range(plane);
  const resized = resizePlane(plane.data, plane.size, [height, width]);
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < resized.length; i++) {
    const share = high > low ? (resized[i]! - low) / (high - low) : 0.5;
    const [red, green, blue] = [image.data[i * 3]!, image.data[i * 3 + 1]!, image.data[i * 3 + 2]!];
    const grey = 0.299 * red + 0.587 * green + 0.114 * blue;
    for (const channel of [0, 1, 2] as const)
      data[i * 3 + channel] = Math.round((1 - opacity) * grey + opacity * colourAt(share, channel));
  }
  return { width, height, channels: 3, data };
}

/** Returns the image with a longer side of at most `most` pixels. */
export function fitted(image: RgbImage, most: number): RgbImage {
  const [height, width] = fittedSize([image.height, image.width], most);
  return height === image.height && width === image.width
    ? image
    : { ...resizeBilinear(image, width, height), channels: 3 };
}

function fittedSize([height, width]: Size, most: number): Size {
  const scale = Math.min(1, most / Math.max(height, width));
  return [Math.max(1, Math.round(height * scale)), Math.max(1, Math.round(width * scale))];
}
