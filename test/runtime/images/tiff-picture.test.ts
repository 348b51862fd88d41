import { readFile, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { type ColourChoice, parseBands, parseStretch } from '../../../runtime/images/colours.ts';
import { decodePicture, readPicture } from '../../../runtime/images/image.ts';
import { ValueCounts } from '../../../runtime/images/levels.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { fixture, height, type SampleType, valueAt, width } from './tiff/fixtures.ts';

const at = temporaryFolder();

const read = (name: string, choice?: ColourChoice) => readPicture(fixture(name), choice);
const kinds = async (name: string, choice?: ColourChoice) => (await read(name, choice)).notes.map(({ kind }) => kind);

/** The bytes of three bands, each value mapped by `map`. */
function bytes(type: SampleType, bands: readonly number[], map: (value: number, channel: number) => number): number[] {
  const out: number[] = [];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (const [channel, band] of bands.entries()) out.push(map(valueAt(type, x, y, band), channel));
  return out;
}

/** The value that has `percent` of all at or below it, by sorting. */
function percentile(type: SampleType, band: number, percent: number): number {
  const values = bytes(type, [band], (value) => value).sort((a, b) => a - b);
  return values[Math.max(1, Math.ceil((percent / 100) * values.length)) - 1]!;
}

describe('bands', () => {
  test.each(['uint16-lzw-planar-strips', 'uint16-deflate-tiles', 'uint16-none-planar'])(
    'of 16 bits without colours are red, green and blue, with a note: %s',
    async (name) => {
      const { image, notes } = await read(name);
      expect([image.width, image.height]).toEqual([width, height]);
      expect([...image.data]).toEqual(bytes('uint16', [0, 1, 2], (value) => Math.round(value / 257)));
      expect(notes.map(({ kind }) => kind)).toEqual(['unnamed-bands']);
      expect(notes[0]?.text).toContain('--bands 3,2,1');
    },
  );

  test('the first three of five, said; or those that are chosen, unsaid', async () => {
    const [first, chosen] = [await read('uint16-five-bands'), await read('uint16-five-bands', { bands: [5, 3, 1] })];
    expect([...first.image.data]).toEqual(bytes('uint16', [0, 1, 2], (value) => Math.round(value / 257)));
    expect(first.notes.map(({ kind }) => kind)).toEqual(['first-bands']);
    expect([...chosen.image.data]).toEqual(bytes('uint16', [4, 2, 0], (value) => Math.round(value / 257)));
    expect(chosen.notes).toEqual([]);
    const grey = await read('uint16-five-bands', { bands: [4] });
    expect([...grey.image.data]).toEqual(bytes('uint16', [3, 3, 3], (value) => Math.round(value / 257)));
  });

  test('RGB by its own word needs no note; a fourth band that is no alpha does', async () => {
    expect(await kinds('uint16-rgb')).toEqual([]);
    expect(await kinds('uint8-nir')).toEqual(['first-bands']);
    const { image } = await read('uint8-nir', { bands: [4, 1, 2] });
    expect([...image.data]).toEqual(bytes('uint8', [3, 0, 1], (value) => value));
  });

  test('two bands, and a band that is not there, are refused with what helps', async () => {
    await expect(read('uint16-two-bands')).rejects.toThrow(/^cannot read .*: it has 2 bands: --bands 1,2,1 shows/);
    expect([...(await read('uint16-two-bands', { bands: [2] })).image.data]).toEqual(
      bytes('uint16', [1, 1, 1], (value) => Math.round(value / 257)),
    );
    await expect(read('uint16-rgb', { bands: [4, 3, 2] })).rejects.toThrow(
      /it has 3 bands, and --bands asks for band 4$/,
    );
  });

  test('of other formats', async () => {
    const png = await sharp(Uint8Array.of(1, 2, 3, 40, 50, 60), { raw: { width: 2, height: 1, channels: 3 } })
      .png()
      .toBuffer();
    const { image } = await decodePicture(png, 'x', { bands: [3, 1, 1] });
    expect([...image.data]).toEqual([3, 1, 1, 60, 40, 40]);
    await expect(decodePicture(png, 'x', { bands: [4] })).rejects.toThrow(
      /it has 3 bands, and --bands asks for band 4/,
    );
  });
});

describe('stretch', () => {
  test.each(['uint16', 'int16', 'float32', 'uint8', 'float64', 'uint32'] as const)(
    '%s: percentiles of each band become 0 and 255',
    async (type) => {
      const { image, notes } = await read(`${type}-deflate-tiles`, { bands: [3, 2, 1], stretch: { low: 5, high: 90 } });
      const levels = [2, 1, 0].map((band) => [percentile(type, band, 5), percentile(type, band, 90)] as const);
      const want = bytes(type, [2, 1, 0], (value, channel) => {
        const [low, high] = levels[channel]!;
        return Math.round(Math.min(1, Math.max(0, (value - low) / (high - low))) * 255);
      });
      expect([...image.data]).toEqual(want);
      expect(notes).toEqual([]);
    },
  );

  test.each(['float32', 'int16', 'uint32', 'int8'] as const)('%s without it is refused', async (type) => {
    await expect(read(`${type}-deflate-tiles`)).rejects.toThrow(
      `its samples are of type ${type}, which has no black and white of its own: --stretch 2,98 takes them from its values`,
    );
    await expect(read(`${type}-deflate-tiles`, { stretch: 'none' })).rejects.toThrow('--stretch 2,98');
  });

  test('a PNG of 16 bits as dark as reflectance: a note, or the full range', async () => {
    const values = Uint16Array.from({ length: 300 }, (_, i) => i * 10);
    const png = await sharp(values, { raw: { width: 10, height: 10, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    const plain = await decodePicture(png, 'x');
    expect(plain.notes.map(({ kind }) => kind)).toEqual(['dark']);
    expect(plain.notes[0]?.text).toContain('98 % of its values are below 5 % of what 16 bits hold; --stretch 2,98');
    expect((await decodePicture(png, 'x', { stretch: 'none' })).notes).toEqual([]);
    const { image, notes } = await decodePicture(png, 'x', { stretch: { low: 0, high: 100 } });
    expect(notes).toEqual([]);
    expect([image.data[0], image.data[297], image.data[150]]).toEqual([0, 255, Math.round((1500 / 2970) * 255)]);
  });

  test('a TIFF as dark as reflectance; values without data do not count', async () => {
    expect(await kinds('sparse')).toEqual(['unnamed-bands', 'dark']);
    const { image } = await read('sparse', { stretch: { low: 0, high: 100 } });
    // All values that are data are 3000: nothing is above the lowest.
    expect(image.data.every((value) => value === 0)).toBe(true);
  });

  test('the orientation of measured bands is not guessed', async () => {
    const data = await readFile(fixture('uint16-five-bands'));
    const start = data.readUInt32LE(4);
    // The tag of the planar configuration becomes that of the orientation; bands are then read as interleaved.
    for (let i = 0; i < data.readUInt16LE(start); i++) {
      const entry = start + 2 + 12 * i;
      if (data.readUInt16LE(entry) === 277) data.writeUInt16LE(274, entry);
    }
    await writeFile(at('turned.tif'), data);
    await expect(readPicture(at('turned.tif'), { stretch: { low: 2, high: 98 } })).rejects.toThrow(
      /its orientation is 5/,
    );
  });
});

test('percentiles of many values that are not whole are near those of all', () => {
  const counts = new ValueCounts(false);
  const part = new Float32Array(1 << 20);
  for (let i = 0; i < 20; i++) {
    for (let k = 0; k < part.length; k++) part[k] = (i * part.length + k) / (20 * part.length);
    counts.add(part, 0, 1);
  }
  for (const percent of [1, 2, 50, 98]) expect(counts.percentile(percent)).toBeCloseTo(percent / 100, 4);
});

test('the words of the options', () => {
  expect(parseBands('4,3,2')).toEqual([4, 3, 2]);
  expect(parseBands(' 1 ')).toEqual([1]);
  for (const wrong of ['', '1,2', '0,1,2', '1,2,3,4', 'a,b,c', '1.5', '-1,2,3', '1,,2'])
    expect(parseBands(wrong)).toBe(undefined);
  expect(parseStretch('2,98')).toEqual({ low: 2, high: 98 });
  expect(parseStretch('0.5, 99.9')).toEqual({ low: 0.5, high: 99.9 });
  expect(parseStretch('none')).toBe('none');
  for (const wrong of ['', '2', '98,2', '2,101', '2,98,99', '50,50', '-1,5', 'auto'])
    expect(parseStretch(wrong)).toBe(undefined);
});
