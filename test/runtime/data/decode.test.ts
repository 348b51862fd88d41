import { writeFile } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodeSample } from '../../../runtime/data/decode.ts';
import { type MaskSource, readMask } from '../../../runtime/data/mask-source.ts';
import { type RgbImage, readImage } from '../../../runtime/images/image.ts';
import { normalise } from '../../../runtime/images/normalise.ts';
import { resizeBilinear, resizeNearest } from '../../../runtime/images/resize.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();

const [width, height] = [61, 47];
const value = (i: number) => (Math.imul(i + 1, 2_654_435_761) >>> 8) & 0xff_ff;
const bytes = (channels: 1 | 2 | 3 | 4): Sharp => {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => value(i) >> 8);
  return sharp(data, { raw: { width, height, channels } });
};
const words = (channels: 1 | 3 | 4): Sharp => {
  const data = Uint16Array.from({ length: width * height * channels }, (_, i) => value(i));
  return sharp(data, { raw: { width, height, channels } });
};
const images: readonly [kind: string, ending: string, image: Sharp][] = [
  ['grey', 'png', bytes(1).toColourspace('b-w').png()],
  ['grey with alpha', 'png', bytes(2).toColourspace('b-w').png()],
  ['colours', 'png', bytes(3).png()],
  ['colours with alpha', 'png', bytes(4).png()],
  ['a palette', 'png', bytes(3).png({ palette: true })],
  ['grey of 16 bits', 'png', words(1).toColourspace('grey16').png()],
  ['colours of 16 bits', 'png', words(3).toColourspace('rgb16').png()],
  ['colours of 16 bits with alpha', 'tif', words(4).toColourspace('rgb16').tiff({ compression: 'lzw' })],
  ['JPEG', 'jpg', bytes(3).jpeg({ quality: 90 })],
  ['grey JPEG', 'jpg', bytes(1).toColourspace('b-w').jpeg()],
];

/** The masks: bytes of one and of three channels, 16 bits, a limit, run lengths, and none. */
async function masks(): Promise<readonly MaskSource[]> {
  const file = async (name: string, image: Sharp, above: number): Promise<MaskSource> => {
    const path = at(name);
    await writeFile(path, await image.toBuffer());
    return { kind: 'file', path, above };
  };
  const sparse = Uint8Array.from({ length: width * height * 3 }, (_, i) => (value(i) % 5 === 0 ? value(i) >> 8 : 0));
  const deep = Uint16Array.from({ length: width * height }, (_, i) => (value(i) % 3 === 0 ? 1 : 0));
  const raw = { width, height };
  const corners = [3, 4, 40, 4, 40, 30, 3, 30];
  return [
    await file('grey.png', bytes(1).toColourspace('b-w').png(), 0),
    await file('limit.png', bytes(1).toColourspace('b-w').png(), 127),
    await file('colours.png', sharp(sparse, { raw: { ...raw, channels: 3 } }).png(), 0),
    await file(
      'deep.png',
      sharp(deep, { raw: { ...raw, channels: 1 } })
        .toColourspace('grey16')
        .png(),
      0,
    ),
    { kind: 'regions', parts: [{ kind: 'polygon', corners }], width, height, on: 'any' },
    { kind: 'nothing' },
  ];
}

/** Fewer along both axes, the same, a pixel, and more along one axis or both. */
const sizes = [
  [32, 24],
  [47, 61],
  [1, 1],
  [33, 90],
  [90, 130],
] as const;

/** The same by the steps for whole images, of which tests say that they are Pillow's. */
async function expected(image: string, mask: MaskSource, toHeight: number, toWidth: number, mirrored: boolean) {
  const planes = normalise(resizeBilinear(await readImage(image), toWidth, toHeight) as RgbImage);
  const read = await readMask(mask);
  const target = read
    ? Float32Array.from(resizeNearest(read.mask, toWidth, toHeight).data)
    : new Float32Array(toHeight * toWidth);
  if (mirrored)
    for (const plane of [planes, target])
      for (let row = 0; row < plane.length; row += toWidth) plane.subarray(row, row + toWidth).reverse();
  return { image: planes, target };
}

describe('a sample is decoded to the bits of the steps for whole images', () => {
  test.each(images)('%s', async (kind, ending, image) => {
    const path = at(`${kind}.${ending}`);
    await writeFile(path, await image.toBuffer());
    for (const [m, mask] of (await masks()).entries()) {
      for (const [s, [toHeight, toWidth]] of sizes.entries()) {
        const mirrored = (m + s) % 2 === 1;
        const request = { image: path, mask, height: toHeight, width: toWidth, mirrored, resized: false };
        const got = await decodeSample(request);
        const want = await expected(path, mask, toHeight, toWidth, mirrored);
        expect(Buffer.compare(Buffer.from(got.image.buffer), Buffer.from(want.image.buffer))).toBe(0);
        expect(Buffer.compare(Buffer.from(got.target.buffer), Buffer.from(want.target.buffer))).toBe(0);
      }
    }
  });
});
