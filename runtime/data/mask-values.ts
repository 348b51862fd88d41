import { nearest, type Pixels } from '../images/resize.ts';

/** A mask as it is stored: a pixel is on if a value of any channel is above `limit`. */
export interface MaskValues {
  readonly width: number;
  readonly height: number;
  /** Interleaved. */
  readonly channels: number;
  readonly values: ArrayLike<number>;
  readonly limit: number;
  /** The EXIF orientation by which it was turned: 1 if it was not. */
  readonly orientation: number;
}

/** The mask of 0 and 1. */
export function maskPixels({ width, height, channels, values, limit }: MaskValues): Pixels {
  const data = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < data.length; i++) {
    for (let c = 0; c < channels; c++, at++) if ((values[at] ?? 0) > limit) data[i] = 1;
  }
  return { width, height, channels: 1, data };
}

/**
 * The mask of 0 and 1 that a model is to predict, [height, width]: the nearest pixel for each (Pillow's `NEAREST`); with
 * `mirrored`, left and right are exchanged.
 */
export function maskTarget(mask: MaskValues, height: number, width: number, mirrored: boolean): Float32Array {
  const { channels, values, limit } = mask;
  const columns = nearest(mask.width, width);
  if (mirrored) columns.reverse();
  const rows = nearest(mask.height, height);
  const target = new Float32Array(height * width);
  let to = 0;
  for (const row of rows) {
    const start = row * mask.width;
    for (const column of columns) {
      const from = (start + column) * channels;
      for (let at = from; at < from + channels; at++) if ((values[at] ?? 0) > limit) target[to] = 1;
      to++;
    }
  }
  return target;
}
