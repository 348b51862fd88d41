import { writeFile } from 'node:fs/promises';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { checkDataset } from '../../../runtime/data/check.ts';
import { openDataset } from '../../../runtime/data/dataset.ts';
import { decodeSample } from '../../../runtime/data/decode.ts';
import { readMaskFile } from '../../../runtime/data/mask-file.ts';
import { maskPixels } from '../../../runtime/data/mask-values.ts';
import { UserError } from '../../../runtime/files/user-error.ts';
import { paletteIndices } from '../../../runtime/images/palette-index.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { dataFolder, writePhrases } from './data-folder.ts';

const at = temporaryFolder();
let files = 0;
async function read(bytes: Uint8Array, ending: string, above = 0): Promise<string> {
  const path = at(`mask-${files++}.${ending}`);
  await writeFile(path, bytes);
  return [...maskPixels(await readMaskFile(path, above)).data].join('');
}

const chunk = (name: string, data: Uint8Array): Buffer => {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length);
  out.write(name, 4, 'latin1');
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
};

/** A PNG of one row, stored as it is: `colourType` 3 has a palette, whose colours are given. */
function png(
  bits: number,
  values: readonly number[],
  palette?: readonly number[],
  others: readonly Buffer[] = [],
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(values.length);
  header.writeUInt32BE(1, 4);
  header.set([bits, palette ? 3 : 0], 8);
  const row = Buffer.alloc(1 + Math.ceil((values.length * bits) / 8));
  for (const [i, v] of values.entries()) {
    if (bits === 16) row.writeUInt16BE(v, 1 + 2 * i);
    else row[1 + Math.floor((i * bits) / 8)]! |= v << (8 - bits - ((i * bits) % 8));
  }
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    ...(palette ? [chunk('PLTE', Buffer.from(palette))] : []),
    ...others,
    chunk('IDAT', deflateSync(row)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** An uncompressed little-endian TIFF of one row. */
function tiff(
  values: Buffer,
  width: number,
  bits: number,
  format: number,
  photometric = 1,
  palette?: readonly number[],
) {
  const tags: [tag: number, type: number, count: number, value: number][] = [
    [256, 3, 1, width],
    [257, 3, 1, 1],
    [258, 3, 1, bits],
    [259, 3, 1, 1],
    [262, 3, 1, photometric],
    [273, 4, 1, 8],
    [277, 3, 1, 1],
    [278, 3, 1, 1],
    [279, 4, 1, values.length],
    ...(palette ? [[320, 3, palette.length, 8 + values.length] as [number, number, number, number]] : []),
    [339, 3, 1, format],
  ];
  const colours = Buffer.alloc(2 * (palette?.length ?? 0));
  for (const [i, v] of (palette ?? []).entries()) colours.writeUInt16LE(v, 2 * i);
  const directory = Buffer.alloc(2 + 12 * tags.length + 4);
  directory.writeUInt16LE(tags.length);
  for (const [i, [tag, type, count, value]] of tags.entries()) {
    directory.writeUInt16LE(tag, 2 + 12 * i);
    directory.writeUInt16LE(type, 4 + 12 * i);
    directory.writeUInt32LE(count, 6 + 12 * i);
    directory.writeUInt32LE(value, 10 + 12 * i);
  }
  const head = Buffer.from([0x49, 0x49, 42, 0, 0, 0, 0, 0]);
  head.writeUInt32LE(8 + values.length + colours.length, 4);
  return Buffer.concat([head, values, colours, directory]);
}

describe('masks are labels', () => {
  const white = [255, 255, 255, 0, 0, 0, 0, 0, 0, 9, 9, 9];
  test('of a palette, the index counts: colour 0 may be white, and others black', async () => {
    expect(await read(png(8, [0, 1, 2, 0], white), 'png')).toBe('0110');
    expect(await read(png(1, [0, 1, 1, 0], white.slice(0, 6)), 'png')).toBe('0110');
    expect(await read(png(2, [0, 1, 3, 0, 2], white), 'png')).toBe('01101');
    expect(await read(png(4, [0, 1, 2, 0], white), 'png')).toBe('0110');
    // With what goes with a palette: transparency and a background.
    const extra = [chunk('tRNS', Buffer.from([0])), chunk('bKGD', Buffer.from([1]))];
    expect(await read(png(8, [0, 1, 2, 0], white, extra), 'png')).toBe('0110');
  });

  test('of a TIFF with a palette as well', async () => {
    const colours = Array.from({ length: 3 * 256 }, (_, i) => (i % 256 === 0 ? 65535 : 0));
    const bytes = tiff(Buffer.from([0, 1, 2, 0]), 4, 8, 1, 3, colours);
    // The colours are as said, so that a reader of colours would have it the other way round.
    expect([...(await sharp(bytes).extractChannel(0).raw().toBuffer())]).toEqual([255, 0, 0, 255]);
    expect(await read(bytes, 'tif', 50)).toBe('0110');
  });

  test('of 16 and 32 bits, the whole value counts', async () => {
    expect(await read(png(16, [0, 1, 256, 65535]), 'png')).toBe('0111');
    const wide = Buffer.from(Uint16Array.of(0, 1, 300, 0).buffer);
    expect(await read(tiff(wide, 4, 16, 1), 'tif', 50)).toBe('0110');
    expect(await read(tiff(Buffer.from(Int32Array.of(0, 1, -1, 70_000).buffer), 4, 32, 2), 'tif', 50)).toBe('0101');
    const floats = Buffer.from(Float32Array.of(0, 1, -1, Number.NaN).buffer);
    expect(await read(tiff(floats, 4, 32, 3), 'tif', 50)).toBe('0100');
  });

  test('of 8 bits without a palette, the limit of the data set counts', async () => {
    expect(await read(tiff(Buffer.from([0, 50, 51, 255]), 4, 8, 1), 'tif', 50)).toBe('0011');
    expect(await read(tiff(Buffer.from([0, 50, 51, 255]), 4, 8, 1), 'tif', 0)).toBe('0111');
  });

  test('alpha does not count, and each colour does', async () => {
    const raw = (channels: 2 | 3 | 4, data: number[]) =>
      sharp(Uint8Array.from(data), { raw: { width: data.length / channels, height: 1, channels } })
        .png()
        .toBuffer();
    expect(await read(await raw(4, [0, 0, 0, 255, 0, 0, 1, 0]), 'png')).toBe('01');
    expect(await read(await raw(3, [0, 0, 0, 0, 1, 0]), 'png')).toBe('01');
  });

  test('only files with a palette are changed', () => {
    expect(paletteIndices(png(8, [0, 1]))).toBeUndefined();
    expect(paletteIndices(tiff(Buffer.from([0, 1]), 2, 8, 1))).toBeUndefined();
    const whole = png(8, [0, 1], white);
    for (let end = 0; end < whole.length; end++) paletteIndices(whole.subarray(0, end));
    const grey = tiff(Buffer.from([0, 1]), 2, 8, 1, 3);
    for (let end = 0; end < grey.length; end++) paletteIndices(grey.subarray(0, end));
  });
});

describe('EXIF orientation', () => {
  const write = async (path: string, orientation: number | undefined) => {
    const data = Uint8Array.from({ length: 3 * 8 * 8 }, (_, i) => (i % 24 < 12 ? 255 : 0));
    const image = sharp(data, { raw: { width: 8, height: 8, channels: 3 } });
    const named = orientation === undefined ? image : image.withMetadata({ orientation });
    await writeFile(path, await named.png().toBuffer());
  };

  test('of both turns both; of one alone is refused, as a square does not show which way it is', async () => {
    const dir = await dataFolder(at('turned'), ['a.png']);
    await writePhrases(dir, ['a.png it']);
    const [image, mask] = [`${dir}/img_rgb/a.png`, `${dir}/mask/a.png`];
    const request = {
      image,
      mask: { kind: 'file', path: mask, above: 0 },
      height: 8,
      width: 8,
      mirrored: false,
      resized: false,
    } as const;
    await write(image, 6);
    await write(mask, 6);
    const { target, image: planes } = await decodeSample(request);
    // What is left becomes the top.
    expect([...target.subarray(0, 8)]).toEqual(Array(8).fill(1));
    expect([...target.subarray(56, 64)]).toEqual(Array(8).fill(0));
    expect(planes[0]).toBeGreaterThan(planes[56]!);
    await write(mask, undefined);
    const refused = 'has the EXIF orientation 1, and its image 6: save both turned and without it';
    await expect(decodeSample(request)).rejects.toThrow(refused);
    await expect(decodeSample(request)).rejects.toThrow(UserError);
    const { splits } = await checkDataset(dir);
    expect(splits[0]!.findings).toMatchObject([{ severity: 'error', text: expect.stringContaining(refused) }]);
    // Of a header alone it is not seen, and the pixels are not used.
    await openDataset(dir, 'train', { onBad: 'stop', report: () => undefined });
  });
});
