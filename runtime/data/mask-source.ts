import { UserError } from '../files/user-error.ts';
import { addPart, type MaskPart, MaskPartFault } from '../images/coco-mask.ts';
import { MAX_PIXELS } from '../images/image.ts';
import type { Pixels } from '../images/resize.ts';
import { readMaskFile } from './mask-file.ts';
import { type MaskValues, maskPixels } from './mask-values.ts';

/** Where the mask of a sample is. Plain data, as it is sent to the threads that decode. */
export type MaskSource =
  /** A file; `above` is the value above which pixels of 8 bits are on. */
  | { readonly kind: 'file'; readonly path: string; readonly above: number }
  /** Run lengths and polygons in the file of the samples. */
  | RegionMask
  /** The phrase describes nothing that is in the image. */
  | { readonly kind: 'nothing' };

export interface RegionMask {
  readonly kind: 'regions';
  readonly parts: readonly MaskPart[];
  readonly height: number;
  readonly width: number;
  /**
   * Which pixels are on where parts overlap: those in any part, or, as the published readers of RRSIS-D have it, those
   * in exactly one.
   */
  readonly on: 'any' | 'exactly-one';
}

/** The name of a mask in messages. */
export function maskName(mask: MaskSource): string {
  return mask.kind === 'file' ? `the mask ${mask.path}` : 'the mask';
}

/** A mask of 0 and 1 in one channel, with the EXIF orientation by which it was turned: 1 if it was not. */
export interface TurnedMask {
  readonly mask: Pixels;
  readonly orientation: number;
}

/**
 * Reads a mask as one plane of 0 and 1; for a phrase without a target, undefined: its mask is empty, of any size.
 * Throws a UserError of one line.
 */
export async function readMask(source: MaskSource): Promise<TurnedMask | undefined> {
  const mask = await readMaskValues(source);
  return mask && { mask: maskPixels(mask), orientation: mask.orientation };
}

/** Like `readMask`, without looking at the pixels of a file. */
export async function readMaskValues(source: MaskSource): Promise<MaskValues | undefined> {
  switch (source.kind) {
    case 'file':
      return readMaskFile(source.path, source.above);
    case 'regions':
      return drawRegions(source);
    case 'nothing':
      return undefined;
  }
}

function drawRegions({ parts, height, width, on }: RegionMask): MaskValues {
  if (height * width > MAX_PIXELS)
    throw new UserError(`the mask has ${width} × ${height} pixels, which are over the limit of ${MAX_PIXELS}`);
  const data = new Uint8Array(height * width);
  for (const [i, part] of parts.entries()) {
    try {
      addPart(data, part, height, width);
    } catch (error) {
      if (!(error instanceof MaskPartFault)) throw error;
      throw new UserError(`part ${i + 1} of the mask is damaged: ${error.message}`);
    }
  }
  for (let i = 0; i < data.length; i++) {
    const count = data[i] ?? 0;
    if (count > 1) data[i] = on === 'any' ? 1 : 0;
  }
  return { width, height, channels: 1, values: data, limit: 0, orientation: 1 };
}
