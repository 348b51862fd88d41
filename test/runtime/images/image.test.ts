import { mkdir, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../runtime/files/user-error.ts';
import { decodeImage, readImage } from '../../../runtime/images/image.ts';
import { imageTensor } from '../../../runtime/images/image-tensor.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();

type Raw = { width: number; height: number; channels: 1 | 2 | 3 | 4 };
const raw = (data: Uint8Array | Uint16Array, shape: Raw) => sharp(data, { raw: shape });

describe('reading', () => {
  test('RGB of each format', async () => {
    const data = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 0, 0, 0, 255, 255, 255);
    const image = raw(data, { width: 3, height: 2, channels: 3 });
    for (const bytes of [
      await image.clone().png().toBuffer(),
      await image.clone().png({ palette: true, quality: 100 }).toBuffer(),
      await image.clone().tiff({ compression: 'lzw' }).toBuffer(),
      await image.clone().webp({ lossless: true }).toBuffer(),
    ]) {
      expect(await decodeImage(bytes, 'x')).toEqual({ width: 3, height: 2, channels: 3, data });
    }
    const flat = sharp({ create: { width: 16, height: 8, channels: 3, background: { r: 200, g: 100, b: 50 } } });
    const jpeg = await decodeImage(await flat.jpeg({ quality: 100 }).toBuffer(), 'x');
    expect([jpeg.width, jpeg.height]).toEqual([16, 8]);
    for (const [i, v] of [200, 100, 50].entries()) expect(Math.abs(jpeg.data[i]! - v)).toBeLessThanOrEqual(2);
  });

  test('alpha is dropped, colour kept, even where all is transparent', async () => {
    const png = await raw(Uint8Array.of(1, 2, 3, 0, 40, 50, 60, 128), { width: 2, height: 1, channels: 4 })
      .png()
      .toBuffer();
    expect([...(await decodeImage(png, 'x')).data]).toEqual([1, 2, 3, 40, 50, 60]);
  });

  test('grey, and grey with alpha, become three equal channels', async () => {
    const grey = await raw(Uint8Array.of(0, 7, 255), { width: 3, height: 1, channels: 1 })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    expect([...(await decodeImage(grey, 'x')).data]).toEqual([0, 0, 0, 7, 7, 7, 255, 255, 255]);
    const alpha = await raw(Uint8Array.of(7, 0, 9, 255), { width: 2, height: 1, channels: 2 })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    expect([...(await decodeImage(alpha, 'x')).data]).toEqual([7, 7, 7, 9, 9, 9]);
  });

  test('one bit a pixel', async () => {
    const bits = await raw(Uint8Array.of(0, 255, 255, 0), { width: 4, height: 1, channels: 1 })
      .toColourspace('b-w')
      .png({ palette: true, colours: 2 })
      .toBuffer();
    expect([...(await decodeImage(bits, 'x')).data]).toEqual([0, 0, 0, 255, 255, 255, 255, 255, 255, 0, 0, 0]);
  });

  test('16 bits are scaled by 1/257 and rounded, in colour, grey and with alpha', async () => {
    const values = Uint16Array.of(0, 128, 129, 65535, 32767, 32768);
    const want = [0, 0, 1, 255, 127, 128];
    const colour = raw(values, { width: 2, height: 1, channels: 3 }).toColourspace('rgb16');
    for (const bytes of [
      await colour.clone().png().toBuffer(),
      await colour.clone().tiff({ compression: 'none' }).toBuffer(),
    ]) {
      expect((await sharp(bytes).metadata()).depth).toBe('ushort');
      expect([...(await decodeImage(bytes, 'x')).data]).toEqual(want);
    }
    const grey = await raw(values, { width: 6, height: 1, channels: 1 }).toColourspace('grey16').png().toBuffer();
    expect([...(await decodeImage(grey, 'x')).data]).toEqual(want.flatMap((v) => [v, v, v]));
    const alpha = await raw(Uint16Array.of(257, 514, 65535, 9), { width: 1, height: 1, channels: 4 })
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    expect([...(await decodeImage(alpha, 'x')).data]).toEqual([1, 2, 255]);
  });

  test('EXIF orientation turns the image upright', async () => {
    const sideways = raw(Uint8Array.of(255, 0, 0, 0, 0, 255), { width: 2, height: 1, channels: 3 });
    const tiff = await sideways.withMetadata({ orientation: 6 }).png().toBuffer();
    expect(await decodeImage(tiff, 'x')).toMatchObject({
      width: 1,
      height: 2,
      data: Uint8Array.of(255, 0, 0, 0, 0, 255),
    });
    const back = await sideways.clone().withMetadata({ orientation: 3 }).png().toBuffer();
    expect([...(await decodeImage(back, 'x')).data]).toEqual([0, 0, 255, 255, 0, 0]);
  });

  test('CMYK becomes RGB near the colour it was', async () => {
    const jpeg = await sharp({ create: { width: 8, height: 8, channels: 3, background: { r: 200, g: 30, b: 60 } } })
      .toColourspace('cmyk')
      .jpeg({ quality: 100 })
      .toBuffer();
    expect((await sharp(jpeg).metadata()).space).toBe('cmyk');
    const { data, channels } = await decodeImage(jpeg, 'x');
    expect(channels).toBe(3);
    expect(data.length).toBe(8 * 8 * 3);
    expect(data[0]).toBeGreaterThan(150);
    expect(Math.max(data[1]!, data[2]!)).toBeLessThan(100);
  });

  test('a single pixel is an image', async () => {
    const png = await raw(Uint8Array.of(10, 20, 30), { width: 1, height: 1, channels: 3 })
      .png()
      .toBuffer();
    await writeFile(at('one.png'), png);
    const image = await readImage(at('one.png'));
    expect([...image.data]).toEqual([10, 20, 30]);
    const tensor = imageTensor(image, 2, 3);
    expect(tensor.length).toBe(18);
    expect(new Set(tensor.subarray(0, 6)).size).toBe(1);
  });
});

describe('what cannot be read is one line', () => {
  const fault = async (bytes: Uint8Array, maxPixels?: number): Promise<string> => {
    const error = await decodeImage(bytes, 'scene.png', maxPixels).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    const { message } = error as UserError;
    expect(message).toMatch(/^cannot read scene\.png: [^\n]+$/);
    return message;
  };

  test('text, nothing, a PNG signature alone, SVG', async () => {
    expect(await fault(Buffer.from('hello'))).toContain('it is not a PNG, JPEG, TIFF or WebP image');
    expect(await fault(new Uint8Array(0))).toContain('it is empty');
    expect(await fault(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a))).toMatch(/damaged|not a PNG/);
    expect(await fault(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'))).toContain(
      'it is svg, and',
    );
  });

  test('cut at half', async () => {
    const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
    const image = raw(noise, { width: 64, height: 64, channels: 3 });
    for (const bytes of [
      await image.clone().png().toBuffer(),
      await image.clone().jpeg().toBuffer(),
      await image.clone().tiff({ compression: 'lzw' }).toBuffer(),
      await image.clone().webp().toBuffer(),
    ]) {
      expect(await fault(bytes.subarray(0, bytes.length >> 1))).toMatch(/truncated or damaged|not a PNG/);
    }
  });

  test('too many pixels, before they are decoded', async () => {
    const png = await sharp({ create: { width: 300, height: 200, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    expect(await fault(png, 59_999)).toContain('300 × 200 pixels are over the limit of 59999');
    expect((await decodeImage(png, 'x', 60_000)).width).toBe(300);
    // A header that claims 100,000 × 100,000 pixels, with its checksum made right and no pixels behind it.
    const bomb = Buffer.from(png);
    bomb.writeUInt32BE(100_000, 16);
    bomb.writeUInt32BE(100_000, 20);
    const { crc32 } = await import('node:zlib');
    bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29);
    expect(await fault(bomb)).toContain('100000 × 100000 pixels are over the limit');
  });

  test('chunks of a PNG that unpack to a quarter of a gigabyte, in bounded memory', async () => {
    const { crc32, deflateSync } = await import('node:zlib');
    const chunk = (kind: string, ...parts: Buffer[]) => {
      const body = Buffer.concat([Buffer.from(kind, 'latin1'), ...parts]);
      const bytes = Buffer.alloc(body.length + 8);
      bytes.writeUInt32BE(body.length - 4, 0);
      body.copy(bytes, 4);
      bytes.writeUInt32BE(crc32(body), body.length + 4);
      return bytes;
    };
    // 10 × 10 pixels of RGB.
    const header = chunk('IHDR', Buffer.from([0, 0, 0, 10, 0, 0, 0, 10, 8, 2, 0, 0, 0]));
    const png = (...chunks: Buffer[]) =>
      Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), header, ...chunks, chunk('IEND')]);
    const bomb = deflateSync(Buffer.alloc(2 ** 28));
    const pixels = chunk('IDAT', deflateSync(Buffer.alloc(310)));
    const before = process.memoryUsage().rss;
    for (const bytes of [
      png(chunk('IDAT', bomb)),
      png(chunk('zTXt', Buffer.from('a\0\0'), bomb), pixels),
      png(chunk('iTXt', Buffer.from('a\0\x01\0\0\0'), bomb), pixels),
      png(chunk('iCCP', Buffer.from('a\0\0'), bomb), pixels),
    ])
      expect(await decodeImage(bytes, 'x')).toMatchObject({ width: 10, height: 10 });
    expect(process.memoryUsage().rss - before).toBeLessThan(2e8);
  });

  test('a JPEG whose header claims 65,500 × 65,500 pixels', async () => {
    const jpeg = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer();
    const at = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
    jpeg.writeUInt16BE(65_500, at + 5);
    jpeg.writeUInt16BE(65_500, at + 7);
    expect(await fault(jpeg)).toContain('65500 × 65500 pixels are over the limit');
  });

  test('no pixels at all', async () => {
    const png = await sharp({ create: { width: 1, height: 1, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const { crc32 } = await import('node:zlib');
    png.writeUInt32BE(0, 16);
    png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
    expect(await fault(png)).toContain('truncated or damaged');
  });

  test('float samples', async () => {
    const float = await sharp(Float32Array.of(0.5, 1, 2), { raw: { width: 1, height: 1, channels: 3 } })
      .toColourspace('scrgb')
      .tiff({ compression: 'none' })
      .toBuffer();
    expect((await sharp(float).metadata()).depth).toBe('float');
    expect(await fault(float)).toContain('its samples are of type float');
  });

  test('missing, a folder', async () => {
    await expect(readImage(at('none.png'))).rejects.toThrow(/^cannot read .*none\.png: no such file or folder$/);
    await mkdir(at('folder.png'));
    await expect(readImage(at('folder.png'))).rejects.toThrow(/^cannot read .*folder\.png: it is a folder$/);
  });
});
