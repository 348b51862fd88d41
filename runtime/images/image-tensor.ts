import { unfilledFloats } from '../tensors/unfilled.ts';
import type { RgbImage } from './image.ts';
import { normalise } from './normalise.ts';
import { loadKernels } from './resample/load-kernels.ts';
import { Resampler } from './resample/resampler.ts';
import { resizeBilinear } from './resize.ts';

let resampler: Resampler | undefined;
let isLoaded = false;

/** One for the thread; undefined where vector instructions cannot run. */
function vectorResampler(): Resampler | undefined {
  if (isLoaded) return resampler;
  isLoaded = true;
  const kernels = loadKernels();
  resampler = kernels && new Resampler(kernels);
  return resampler;
}

/**
 * Returns the input tensor of a model: resized to [height, width] with antialiasing and normalised, [3, height, width];
 * with `mirrored`, left and right are exchanged. The numbers are the same on every machine. `out` is a tensor to write it
 * to; by default, a new one.
 */
export function imageTensor(
  image: RgbImage,
  height: number,
  width: number,
  {
    mirrored = false,
    out = unfilledFloats(3 * height * width),
  }: { readonly mirrored?: boolean; readonly out?: Float32Array } = {},
): Float32Array {
  const vectors = vectorResampler();
  if (vectors === undefined) {
    out.set(plainImageTensor(image, height, width, mirrored));
    return out;
  }
  vectors.run(image, height, width, mirrored, out);
  return out;
}

/** `imageTensor` without vector instructions. */
export function plainImageTensor(image: RgbImage, height: number, width: number, mirrored: boolean): Float32Array {
  const planes = normalise(resizeBilinear(image, width, height) as RgbImage);
  if (mirrored) for (let at = 0; at < planes.length; at += width) planes.subarray(at, at + width).reverse();
  return planes;
}
