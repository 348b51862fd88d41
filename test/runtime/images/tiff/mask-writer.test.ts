import { readFile, stat, truncate } from 'node:fs/promises';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { openBytes } from '../../../../runtime/images/tiff/byte-source.ts';
import type { TiffDirectory } from '../../../../runtime/images/tiff/directory.ts';
import { georeferenceOf } from '../../../../runtime/images/tiff/georeference.ts';
import { MaskWriter } from '../../../../runtime/images/tiff/mask-writer.ts';
import { TiffReader } from '../../../../runtime/images/tiff/tiff-reader.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { fixture } from './fixtures.ts';

const at = temporaryFolder();
const [width, height] = [1100, 1300];
const drawn = Uint8Array.from({ length: width * height }, (_, i) => (((i % width) * 7 + i / width / 3) & 64 ? 255 : 0));

async function directoryOf(path: string): Promise<TiffDirectory> {
  const source = await openBytes(path);
  const { directory } = await TiffReader.open(source);
  await source.close();
  return directory;
}

async function pixels(path: string): Promise<Uint8Array> {
  const { data, info } = await sharp(path).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height, info.channels]).toEqual([width, height, 1]);
  return new Uint8Array(data);
}

test('libtiff reads what is written, in parts of any size', async () => {
  const file = { path: at('mask.tif'), width, height, tags: new Map() };
  const writer = await MaskWriter.create(file);
  for (let y = 0; y < height; y += 131) await writer.write(drawn.subarray(y * width, (y + 131) * width));
  await writer.finish();
  await writer.close();
  expect(await pixels(file.path)).toEqual(drawn);
  expect((await stat(file.path)).size).toBeLessThan(drawn.length / 20);
});

test.each([100, 512, 700, 1299])('stopped after %i rows and continued, the file is the same', async (rows) => {
  const whole = { path: at('whole.tif'), width, height, tags: new Map() };
  const one = await MaskWriter.create(whole);
  await one.write(drawn);
  await one.finish();
  await one.close();
  const file = { ...whole, path: at(`stopped-${rows}.tif`) };
  const first = await MaskWriter.create(file);
  await first.write(drawn.subarray(0, rows * width));
  const [record, pending] = [structuredClone(first.record), first.pending.slice()];
  // What is written after the record is lost.
  await first.write(drawn.subarray(0, Math.min(600, height - rows - 1) * width));
  await first.close();
  const second = await MaskWriter.resume(file, record, pending);
  await second.write(drawn.subarray(rows * width));
  await second.finish();
  await second.close();
  expect(await readFile(file.path)).toEqual(await readFile(whole.path));
});

test('a file that has less than was recorded is not continued', async () => {
  const file = { path: at('short.tif'), width, height, tags: new Map() };
  const writer = await MaskWriter.create(file);
  await writer.write(drawn.subarray(0, 600 * width));
  const record = structuredClone(writer.record);
  await writer.close();
  await truncate(file.path, record.bytes - 1);
  await expect(MaskWriter.resume(file, record, new Uint8Array())).rejects.toThrow(
    /^cannot continue .*short\.tif: it has/,
  );
});

test.each(['uint16-rgb', 'uint8-deflate-tiles', 'rotated', 'degrees'])(
  'the place of %s is kept, tag by tag',
  async (name) => {
    const from = georeferenceOf(await directoryOf(fixture(name)));
    const file = { path: at(`${name}.tif`), width: 37, height: 21, tags: from!.tags };
    const writer = await MaskWriter.create(file);
    await writer.write(new Uint8Array(37 * 21));
    await writer.finish();
    await writer.close();
    const to = georeferenceOf(await directoryOf(file.path));
    expect(to).toEqual(from);
    expect(from!.tags.has(34_735)).toBe(true);
  },
);

test('what georeferences mean', async () => {
  const of = async (name: string) => georeferenceOf(await directoryOf(fixture(name)));
  expect(await of('uint16-rgb')).toMatchObject({
    epsg: 32_633,
    transform: { a: 0.5, b: 0, c: 500_000, d: 0, e: -0.5, f: 5_600_000 },
  });
  expect(await of('degrees')).toMatchObject({ epsg: 4326, transform: { a: 1e-5, c: 12, e: -1e-5, f: 48 } });
  const rotated = (await of('rotated'))!.transform!;
  const turn = Math.PI / 6;
  const want = [
    0.5 * Math.cos(turn),
    0.5 * Math.sin(turn),
    500_000,
    0.5 * Math.sin(turn),
    -0.5 * Math.cos(turn),
    5_600_000,
  ];
  for (const [i, key] of (['a', 'b', 'c', 'd', 'e', 'f'] as const).entries())
    expect(rotated[key]).toBeCloseTo(want[i]!, 9);
});
