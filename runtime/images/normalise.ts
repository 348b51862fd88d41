import type { RgbImage } from './image.ts';

/** Mean and standard deviation of ImageNet for values in 0…1. */
export const IMAGENET_MEAN = [0.485, 0.456, 0.406] as const;
export const IMAGENET_STD = [0.229, 0.224, 0.225] as const;

/** Returns (v/255 - mean) / std as [3, H, W], with the rounding of torchvision's float32 steps. */
export function normalise(image: RgbImage): Float32Array {
  const count = image.width * image.height;
  const out = new Float32Array(3 * count);
  for (let c = 0; c < 3; c++) {
    const mean = Math.fround(IMAGENET_MEAN[c]!);
    const std = Math.fround(IMAGENET_STD[c]!);
    const table = Float32Array.from({ length: 256 }, (_, v) => Math.fround(Math.fround(v / 255) - mean) / std);
    const plane = out.subarray(c * count, (c + 1) * count);
    for (let i = 0; i < count; i++) plane[i] = table[image.data[i * 3 + c]!]!;
  }
  return out;
}
