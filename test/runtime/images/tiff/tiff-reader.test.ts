import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../../runtime/files/user-error.ts';
import { bytesInMemory, openBytes } from '../../../../runtime/images/tiff/byte-source.ts';
import { TiffFault } from '../../../../runtime/images/tiff/directory.ts';
import { TiffReader, type Window } from '../../../../runtime/images/tiff/tiff-reader.ts';
import { fixture, fixtureBytes, height, type SampleType, sampleTypes, valueAt, width } from './fixtures.ts';

const whole: Window = { left: 0, top: 0, width, height };

async function readWhole(name: string, bands: readonly number[]): Promise<Float32Array> {
  const reader = await TiffReader.open(await openBytes(fixture(name)));
  try {
    return await reader.read(whole, bands);
  } finally {
    await reader.close();
  }
}

function expected(type: SampleType, bands: readonly number[], { left, top, width, height } = whole): Float32Array {
  const out = new Float32Array(width * height * bands.length);
  let at = 0;
  for (let y = top; y < top + height; y++)
    for (let x = left; x < left + width; x++) for (const band of bands) out[at++] = valueAt(type, x, y, band);
  return out;
}

describe('files of GDAL', () => {
  const all = [0, 1, 2];
  const layouts = ['deflate-tiles', 'lzw-planar-strips'];
  test.each(sampleTypes.flatMap((type) => layouts.map((layout) => [type, layout] as const)))(
    '%s %s',
    async (type, layout) => {
      expect(await readWhole(`${type}-${layout}`, all)).toEqual(expected(type, all));
    },
  );

  test.each([
    ['float32', 'float-predictor'],
    ['float64', 'float-predictor'],
    ['uint16', 'none-strips'],
    ['uint16', 'none-planar'],
    ['uint16', 'packbits'],
  ] as const)('%s %s', async (type, layout) => {
    expect(await readWhole(`${type}-${layout}`, all)).toEqual(expected(type, all));
  });

  test('Zstandard is read where Node.js has it, and else refused with what helps', async () => {
    const read = readWhole('uint16-zstd', all);
    if ('zstdDecompress' in (await import('node:zlib'))) expect(await read).toEqual(expected('uint16', all));
    else await expect(read).rejects.toThrow(/Zstandard, which Node\.js [\d.]+ lacks: .*COMPRESS=DEFLATE/);
  });

  test.each([
    ['jpeg-rgb', all, 4],
    ['jpeg-grey', [0], 4],
    // Colours are halved in both directions.
    ['jpeg-ycbcr', all, 12],
  ])('%s is near what was written', async (name, bands, near) => {
    const [found, want] = [await readWhole(name, bands), expected('uint8', bands)];
    const errors = found.map((value, i) => Math.abs(value - want[i]!));
    expect(errors.reduce((a, b) => a + b) / errors.length).toBeLessThan(near / 4);
  });

  test('a window has the pixels of the whole, in the order of the bands asked for', async () => {
    const window = { left: 13, top: 3, width: 20, height: 15 };
    for (const name of [
      'uint16-deflate-tiles',
      'uint16-lzw-planar-strips',
      'uint16-none-strips',
      'uint16-none-planar',
    ]) {
      const reader = await TiffReader.open(await openBytes(fixture(name)));
      expect(await reader.read(window, [2, 0]), name).toEqual(expected('uint16', [2, 0], window));
      await reader.close();
    }
  });

  test('blocks that a sparse file leaves out have no data', async () => {
    const reader = await TiffReader.open(await openBytes(fixture('sparse')));
    const found = await reader.read({ left: 0, top: 0, width: 48, height: 48 }, [1]);
    await reader.close();
    expect([...(reader.layout.blocks.counts as Float64Array)].filter((count) => count === 0)).not.toHaveLength(0);
    expect(found.filter((value) => value === 3000)).toHaveLength(100);
    expect(found.filter((value) => value === 0)).toHaveLength(48 * 48 - 100);
  });

  test('few kept blocks give the same pixels', async () => {
    const reader = await TiffReader.open(await openBytes(fixture('uint16-deflate-tiles')), 1);
    expect(await reader.read(whole, all)).toEqual(expected('uint16', all));
    expect(await reader.read(whole, all)).toEqual(expected('uint16', all));
    await reader.close();
  });
});

describe('damaged files', () => {
  const read = async (bytes: Uint8Array) => {
    const reader = await TiffReader.open(bytesInMemory(bytes, 'scene.tif'));
    return reader.read(
      { left: 0, top: 0, width: Math.min(64, reader.layout.width), height: Math.min(64, reader.layout.height) },
      [0],
    );
  };
  /** Sets the value of a tag of a little-endian TIFF that is not a BigTIFF. */
  const withTag = async (name: string, tag: number, value: number): Promise<Buffer> => {
    const bytes = await fixtureBytes(name);
    const at = bytes.readUInt32LE(4);
    for (let i = 0; i < bytes.readUInt16LE(at); i++) {
      const entry = at + 2 + 12 * i;
      if (bytes.readUInt16LE(entry) !== tag) continue;
      if (bytes.readUInt16LE(entry + 2) === 3) bytes.writeUInt16LE(value, entry + 8);
      else bytes.writeUInt32LE(value, entry + 8);
      return bytes;
    }
    throw new Error(`${name} has no tag ${tag}`);
  };

  test('cut anywhere: refused', async () => {
    for (const name of ['uint8-deflate-tiles', 'uint16-none-strips', 'uint16-packbits']) {
      const bytes = await fixtureBytes(name);
      for (let length = 4; length < bytes.length - 1; length += 37)
        await expect(read(bytes.subarray(0, length)), `${name} ${length}`).rejects.toThrow(/./);
    }
  });

  test('a size without its blocks, tiles of gigabytes, directories in a circle', async () => {
    await expect(read(await withTag('uint16-none-strips', 257, 60_000))).rejects.toThrow(/blocks are missing/);
    await expect(read(await withTag('uint16-rgb', 278, 0))).rejects.toThrow(TiffFault);
    const wide = await withTag('uint16-five-bands', 256, 65_000);
    await expect(read(wide)).rejects.toThrow(/truncated or damaged/);
    const circle = await fixtureBytes('uint16-rgb');
    const at = circle.readUInt32LE(4);
    circle.writeUInt32LE(at, at + 2 + 12 * circle.readUInt16LE(at));
    await expect(read(circle)).rejects.toThrow(/in a circle/);
  });

  test('of a tag that occurs twice, the first counts, as in libtiff', async () => {
    const bytes = await fixtureBytes('uint16-rgb');
    const at = bytes.readUInt32LE(4);
    const entries = Array.from({ length: bytes.readUInt16LE(at) }, (_, i) => at + 2 + 12 * i);
    const entryOf = (tag: number) => entries.find((entry) => bytes.readUInt16LE(entry) === tag) ?? expect.fail();
    const pixels = await read(bytes);
    // The height again, with another value, in place of a tag that says what is usual.
    const again = entryOf(284);
    bytes.copy(bytes, again, entryOf(257), entryOf(257) + 12);
    bytes.writeUInt16LE(1, again + 8);
    expect((await sharp(bytes).metadata()).height).toBe(height);
    expect(await read(bytes)).toEqual(pixels);
  });

  test('tags that share their bytes, with hundreds of millions of values in all', async () => {
    const head = Buffer.from('49492a0008000000', 'hex');
    const directory = Buffer.alloc(2 + 100 * 12 + 4);
    directory.writeUInt16LE(100, 0);
    for (let i = 0; i < 100; i++) {
      directory.writeUInt16LE(1000 + i, 2 + 12 * i);
      directory.writeUInt16LE(1, 4 + 12 * i);
      directory.writeUInt32LE(2 ** 20, 6 + 12 * i);
    }
    const bomb = Buffer.concat([head, directory, Buffer.alloc(2 ** 20)]);
    await expect(read(bomb)).rejects.toThrow('its tags have more than 50,331,648 values');
  });

  test('a block that unpacks to more than its size is refused before it is unpacked', async () => {
    const { deflateSync } = await import('node:zlib');
    const bytes = await fixtureBytes('uint16-rgb');
    const bomb = deflateSync(Buffer.alloc(200_000_000));
    // The only strip is replaced by what is behind the end of the file.
    const at = bytes.readUInt32LE(4);
    for (let i = 0; i < bytes.readUInt16LE(at); i++) {
      const entry = at + 2 + 12 * i;
      const tag = bytes.readUInt16LE(entry);
      if (tag !== 273 && tag !== 279) continue;
      bytes.writeUInt16LE(4, entry + 2);
      bytes.writeUInt32LE(tag === 273 ? bytes.length : bomb.length, entry + 8);
    }
    const before = process.memoryUsage().rss;
    await expect(read(Buffer.concat([bytes, bomb]))).rejects.toThrow(UserError);
    await expect(read(Buffer.concat([bytes, bomb]))).rejects.toThrow(/cannot read scene\.tif: .*more than its size/);
    expect(process.memoryUsage().rss - before).toBeLessThan(150e6);
  });
});
