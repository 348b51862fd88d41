import { UserError } from '../files/user-error.ts';
import { imageTensor, readImage } from '../images/image.ts';
import { type Pixels, resizeNearest } from '../images/resize.ts';
import { sizeFault } from './image-sizes.ts';
import { readMask } from './mask-file.ts';

/** A sample's pictures, and the size that the model takes. */
export interface DecodeRequest {
  readonly image: string;
  readonly mask: string;
  readonly height: number;
  readonly width: number;
  /** Left and right change places. */
  readonly mirrored: boolean;
}

export interface DecodedSample {
  /** [3, height, width], normalised. */
  readonly image: Float32Array;
  /** [height, width], 0 and 1. */
  readonly target: Float32Array;
}

/** Reads and resizes both; the mask takes the nearest pixel. Throws a UserError where a file or a size is wrong. */
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
