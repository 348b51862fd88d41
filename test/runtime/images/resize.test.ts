import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RgbImage } from '../../../runtime/images/image.ts';
import { normalise } from '../../../runtime/images/normalise.ts';
import { type Pixels, resizeBilinear, resizeNearest, resizePlane } from '../../../runtime/images/resize.ts';
import { SafetensorsFile } from '../../../runtime/weights/safetensors.ts';

let golden: SafetensorsFile;
beforeAll(async () => {
  golden = await SafetensorsFile.open(fileURLToPath(new URL('../../goldens/images.safetensors', import.meta.url)));
});
afterAll(() => golden.close());

async function pixels(name: string): Promise<Pixels> {
  const [height, width, channels = 1] = golden.tensors.get(name)!.shape as [number, number, number?];
  return { width, height, channels, data: await golden.bytes(name) };
}

describe('bilinear with antialias is Pillow’s, bit for bit', () => {
  test.each([
    [20, 20],
    [16, 53],
    [37, 8],
    [60, 100],
    [1, 1],
    [74, 40],
    [36, 52],
  ])('to %i × %i', async (height, width) => {
    expect(resizeBilinear(await pixels('image'), width, height)).toEqual(await pixels(`bilinear.${height}x${width}`));
  });

  test('the same size is the same image', async () => {
    const image = await pixels('image');
    expect(resizeBilinear(image, 53, 37)).toEqual(image);
  });

  test('one pixel fills any size', () => {
    const one: Pixels = { width: 1, height: 1, channels: 3, data: Uint8Array.of(9, 99, 255) };
    const many = resizeBilinear(one, 5, 4);
    expect([...many.data]).toEqual(Array.from({ length: 20 }, () => [9, 99, 255]).flat());
  });
});

describe('nearest is Pillow’s', () => {
  test.each([
    [30, 60],
    [48, 40],
    [7, 5],
    [64, 128],
  ])('to %i × %i', async (height, width) => {
    expect(resizeNearest(await pixels('mask'), width, height)).toEqual(await pixels(`nearest.${height}x${width}`));
  });
});

describe('a plane of logits is resized as PyTorch does', () => {
  test.each([
    [30, 41],
    [5, 3],
    [9, 20],
    [1, 1],
  ] as const)('to %i × %i', async (height, width) => {
    const got = resizePlane(await golden.float32('plane'), [9, 14], [height, width]);
    const want = await golden.float32(`plane.${height}x${width}`);
    expect(got.length).toBe(want.length);
    for (let i = 0; i < got.length; i++) expect(Math.abs(got[i]! - want[i]!)).toBeLessThan(2e-6);
  });
});

test('normalised as PyTorch does it, bit for bit', async () => {
  expect(normalise((await pixels('image')) as RgbImage)).toEqual(await golden.float32('normalised'));
});
