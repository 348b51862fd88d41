import { readImage } from '../images/image.ts';
import type { Pixels } from '../images/resize.ts';

/** The threshold of a mask file: pixels above it are on. 50 for RefSegRS's TIFF files, 0 for RISBench's PNG files. */
export function maskThreshold(path: string): number {
  return /\.tiff?$/i.test(path) ? 50 : 0;
}

/**
 * Reads a mask as one plane of 0 and 1; a colour counts by its largest channel. Throws a UserError as `readImage` does.
 */
export async function readMask(path: string): Promise<Pixels> {
  const { width, height, data } = await readImage(path);
  const threshold = maskThreshold(path);
  const plane = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < plane.length; i++, at += 3) {
    plane[i] = data[at]! > threshold || data[at + 1]! > threshold || data[at + 2]! > threshold ? 1 : 0;
  }
  return { width, height, channels: 1, data: plane };
}
