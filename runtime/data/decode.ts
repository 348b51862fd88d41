import { UserError } from '../files/user-error.ts';
import type { ColourChoice, PictureNote } from '../images/colours.ts';
import { readPicture } from '../images/image.ts';
import { imageTensor } from '../images/image-tensor.ts';
import { type MaskSource, maskName, readMaskValues } from './mask-source.ts';
import { maskTarget } from './mask-values.ts';
import { sizeFault } from './size-mismatch.ts';

/** The files of a sample, and the size of the model's input. */
export interface DecodeRequest {
  readonly image: string;
  readonly mask: MaskSource;
  readonly height: number;
  readonly width: number;
  /** Whether to flip left and right. */
  readonly mirrored: boolean;
  /** Whether image and mask may have different sizes. */
  readonly resized: boolean;
  readonly colours?: ColourChoice;
}

export interface DecodedSample {
  /** [3, height, width], normalised. */
  readonly image: Float32Array;
  /** [height, width], 0 and 1. */
  readonly target: Float32Array;
  /** What was assumed about the image. */
  readonly notes: readonly PictureNote[];
}

/**
 * Reads and resizes image and mask (the mask by nearest neighbour). Throws a UserError for a bad file, orientations that
 * differ, and, unless `resized`, sizes that differ.
 */
export async function decodeSample(request: DecodeRequest): Promise<DecodedSample> {
  const { height, width, mirrored, resized } = request;
  const [{ image, orientation, notes }, mask] = await Promise.all([
    readPicture(request.image, request.colours),
    readMaskValues(request.mask),
  ]);
  const fault = mask && pairFault(request.mask, mask, { ...image, orientation }, resized);
  if (fault !== undefined) throw new UserError(fault);
  return {
    image: imageTensor(image, height, width, { mirrored }),
    target: mask ? maskTarget(mask, height, width, mirrored) : new Float32Array(height * width),
    notes,
  };
}

/** Size in pixels after turning by an EXIF orientation, 1 if there is none. */
export interface TurnedSize {
  readonly width: number;
  readonly height: number;
  readonly orientation: number;
}

/** Why a mask does not belong to an image as it is; undefined if it does. */
export function pairFault(
  source: MaskSource,
  mask: TurnedSize,
  image: TurnedSize,
  resized: boolean,
): string | undefined {
  return orientationFault(source, mask, image) ?? (resized ? undefined : pairSizeFault(source, mask, image));
}

export function pairSizeFault(source: MaskSource, mask: TurnedSize, image: TurnedSize): string | undefined {
  return sizeFault(maskName(source), [image.width, image.height], [mask.width, mask.height]);
}

/** The mask may have been drawn on the stored or on the turned image; a square does not even show which. */
export function orientationFault(source: MaskSource, mask: TurnedSize, image: TurnedSize): string | undefined {
  if (mask.orientation !== image.orientation)
    return `${maskName(source)} has the EXIF orientation ${mask.orientation}, and its image ${image.orientation}: save both turned and without it`;
  return undefined;
}
