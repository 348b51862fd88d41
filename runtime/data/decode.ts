import { UserError } from '../files/user-error.ts';
import { imageTensor, readImage } from '../images/image.ts';
import { type Pixels, resizeNearest } from '../images/resize.ts';
import { sizeFault } from './image-sizes.ts';
import { readMask } from './mask-file.ts';

/** The files of a sample, and the size of the model's input. */
export interface DecodeRequest {
  readonly image: string;
  readonly mask: string;
  readonly height: number;
  readonly width: number;
  /** Whether to flip left and right. */
  readonly mirrored: boolean;
}

export interface DecodedSample {
  /** [3, height, width], normalised. */
  readonly image: Float32Array;
  /** [height, width], 0 and 1. */
  readonly target: Float32Array;
}

/**
 * Reads and resizes image and mask (the mask by nearest neighbour). Throws a UserError
 * for a bad file and sizes that differ.
 */
export async function decodeSample(request: DecodeRequest): Promise<DecodedSample> {
  const { height, width, mirrored } = request;
  const [image, mask] = await Promise.all([readImage(request.image), readMask(request.mask)]);
  const fault = sizeFault(request.mask, [image.width, image.height], [mask.width, mask.height]);
  if (fault !== undefined) throw new UserError(fault);
  const planes = imageTensor(image, height, width);
  const target = Float32Array.from(resizeNearest(mask as Pixels, width, height).data);
  if (mirrored) for (const plane of [planes, target]) mirrorRows(plane, width);
  return { image: planes, target };
}

function mirrorRows(planes: Float32Array, width: number): void {
  for (let at = 0; at < planes.length; at += width) planes.subarray(at, at + width).reverse();
}
