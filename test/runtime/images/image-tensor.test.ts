import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RgbImage } from '../../../runtime/images/image.ts';
import { imageTensor, plainImageTensor } from '../../../runtime/images/image-tensor.ts';
import { normalise } from '../../../runtime/images/normalise.ts';
import { loadKernels } from '../../../runtime/images/resample/load-kernels.ts';
import { Resampler } from '../../../runtime/images/resample/resampler.ts';
import { SafetensorsFile } from '../../../runtime/weights/safetensors.ts';
import { holds } from '../../property.ts';

let golden: SafetensorsFile;
beforeAll(async () => {
  golden = await SafetensorsFile.open(fileURLToPath(new URL('../../goldens/images.safetensors', import.meta.url)));
});
afterAll(() => golden.close());
afterEach(() => vi.unstubAllGlobals());

async function pixels(name: string): Promise<RgbImage> {
  const [height, width] = golden.tensors.get(name)!.shape as [number, number];
  return { width, height, channels: 3, data: await golden.bytes(name) };
}

/** The loader's numbers have to be those of all versions before, so that scores stay as they are. */
function expectEqual(got: Float32Array, want: Float32Array): void {
  expect(got.length).toBe(want.length);
  const differs = got.findIndex((value, i) => !Object.is(value, want[i]));
  expect(differs === -1 ? 'none' : `${differs}: ${got[differs]}, not ${want[differs]}`).toBe('none');
}

function withVectors(image: RgbImage, height: number, width: number, mirrored = false): Float32Array {
  const kernels = loadKernels();
  if (!kernels) throw new Error('no vector instructions in this Node.js');
  const out = new Float32Array(3 * height * width);
  new Resampler(kernels).run(image, height, width, mirrored, out);
  return out;
}

const noise = (width: number, height: number): RgbImage => {
  let state = width * 65_537 + height;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state >>> 24;
  };
  return { width, height, channels: 3, data: Uint8Array.from({ length: width * height * 3 }, next) };
};

describe('with vector instructions, an image is what Pillow and PyTorch make of it, bit for bit', () => {
  test.each([
    [20, 20],
    [16, 53],
    [37, 8],
    [60, 100],
    [1, 1],
    [74, 40],
    [36, 52],
  ])('to %i × %i', async (height, width) => {
    const got = withVectors(await pixels('image'), height, width);
    expectEqual(got, normalise(await pixels(`bilinear.${height}x${width}`)));
  });

  test('in its own size', async () => {
    expectEqual(withVectors(await pixels('image'), 37, 53), await golden.float32('normalised'));
  });
});

describe('with vector instructions, an image is what it is without, bit for bit', () => {
  test.each([
    ['one pixel', 1, 1, 7, 5],
    ['to one pixel', 41, 33, 1, 1],
    ['one column', 1, 90, 31, 33],
    ['one row', 90, 1, 31, 33],
    ['to hundreds of times fewer', 3, 20_000, 4, 3],
    ['a row beyond a strip', 30_000, 3, 2, 17],
    ['to more', 31, 17, 200, 150],
    ['more along one axis, fewer along the other', 200, 10, 64, 50],
    ['the sizes of RRSIS-D', 800, 787, 480, 480],
  ])('%s: %i × %i', (_, width, height, toHeight, toWidth) => {
    for (const mirrored of [false, true]) {
      const image = noise(width, height);
      const want = plainImageTensor(image, toHeight, toWidth, mirrored);
      expectEqual(withVectors(image, toHeight, toWidth, mirrored), want);
    }
  });

  test('all sizes', () => {
    const resampler = new Resampler(loadKernels()!);
    const side = fc.integer({ min: 1, max: 90 });
    const extreme = fc.constantFrom(undefined, 0, 255);
    holds(
      fc.property(
        side,
        side,
        side,
        side,
        fc.boolean(),
        extreme,
        (width, height, toHeight, toWidth, mirrored, value) => {
          const image = noise(width, height);
          if (value !== undefined) image.data.fill(value);
          const got = new Float32Array(3 * toHeight * toWidth);
          // One resampler for all: what an image leaves in its memory must not change the next.
          resampler.run(image, toHeight, toWidth, mirrored, got);
          expectEqual(got, plainImageTensor(image, toHeight, toWidth, mirrored));
        },
      ),
      { seed: 14, numRuns: 200 },
    );
  });
});

test('mirrored, each row is from right to left', () => {
  const image = noise(23, 9);
  const [plain, mirrored] = [imageTensor(image, 6, 11), imageTensor(image, 6, 11, { mirrored: true })];
  const rows = Array.from({ length: 18 }, (_, y) => plain.slice(y * 11, (y + 1) * 11).reverse());
  expectEqual(mirrored, Float32Array.from(rows.flatMap((row) => [...row])));
});

test('where the kernels cannot run, there are none', () => {
  vi.stubGlobal('WebAssembly', undefined);
  expect(loadKernels()).toBeUndefined();
  vi.stubGlobal('WebAssembly', { validate: () => false });
  expect(loadKernels()).toBeUndefined();
});

test('pixels of another number are a bug', () => {
  const image = { ...noise(4, 4), height: 5 };
  expect(() => withVectors(image, 2, 2)).toThrow('bug in crobc: 48 bytes of 4 × 5');
});
