import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Dataset, openDataset } from '../../../runtime/data/dataset.ts';
import { readMaskFile } from '../../../runtime/data/mask-file.ts';
import { readMask } from '../../../runtime/data/mask-source.ts';
import { maskPixels } from '../../../runtime/data/mask-values.ts';
import { UserError } from '../../../runtime/files/user-error.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { dataFolder, mask, picture, writePhrases } from './data-folder.ts';

const at = temporaryFolder();
let folders = 0;
const fresh = (names: readonly string[] = ['a.png', 'b.png', 'c.png']) => dataFolder(at(`set-${folders++}`), names);

const skipping = async (dir: string, split = 'train'): Promise<{ data: Dataset; said: string[] }> => {
  const said: string[] = [];
  const data = await openDataset(dir, split, { onBad: 'skip', report: (problem) => said.push(problem) });
  return { data, said };
};
const fault = async (dir: string, split = 'train'): Promise<string> => {
  const report = () => expect.unreachable('stop reports nothing');
  const error = await openDataset(dir, split, { onBad: 'stop', report }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message).not.toContain('\n');
  return (error as UserError).message;
};

describe('layouts', () => {
  test('RISBench: lines `<file>.png phrase`, in order', async () => {
    const dir = await fresh(['train_1.png', 'train_2.png']);
    const { data, said } = await skipping(dir);
    expect(said).toEqual([]);
    expect(data).toEqual({
      dir,
      split: 'train',
      undecodable: new Set(),
      resized: false,
      colours: {},
      noted: new Set(),
      lines: 2,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      samples: [1, 2].map((n) => ({
        image: join(dir, 'img_rgb', `train_${n}.png`),
        mask: { kind: 'file', path: join(dir, 'mask', `train_${n}.png`), above: 0 },
        phrase: `ship number ${n - 1}`,
        file: join(dir, 'output_phrase_train.txt'),
        line: n,
      })),
    });
  });

  test('validation lines may name train_*.png', async () => {
    const dir = await fresh(['train_1.png', 'val_1.png']);
    await writePhrases(dir, ['train_1.png the car', 'val_1.png the ship'], 'val');
    const { data } = await skipping(dir, 'val');
    expect(data.samples.map(({ image }) => image)).toEqual([
      join(dir, 'img_rgb', 'train_1.png'),
      join(dir, 'img_rgb', 'val_1.png'),
    ]);
  });

  test('RefSegRS: images and masks, TIFF, stems without an ending, on above 50', async () => {
    const dir = at('refsegrs');
    await mkdir(join(dir, 'images'), { recursive: true });
    await mkdir(join(dir, 'masks'));
    await picture(join(dir, 'images', '12.tif'), 4, 2, [1, 2, 3]);
    await mask(join(dir, 'masks', '12.tif'), 4, 2, (x) => [0, 50, 51, 255][x]!);
    await writePhrases(dir, ['12 road along the vehicles'], 'test');
    const { data, said } = await skipping(dir, 'test');
    expect(said).toEqual([]);
    expect(data.samples).toMatchObject([{ image: join(dir, 'images', '12.tif'), phrase: 'road along the vehicles' }]);
    expect([...(await readMask(data.samples[0]!.mask))!.mask.data]).toEqual([0, 0, 1, 1, 0, 0, 1, 1]);
  });

  test('a PNG mask is on above 0, of grey, of one bit and of colours', async () => {
    const path = at('m.png');
    await mask(path, 4, 1, (x) => [0, 1, 50, 255][x]!);
    expect([...maskPixels(await readMaskFile(path, 0)).data]).toEqual([0, 1, 1, 1]);
    await picture(path, 4, 1, (x) => [x === 1 ? 128 : 0, 0, x === 2 ? 1 : 0]);
    expect([...maskPixels(await readMaskFile(path, 0)).data]).toEqual([0, 1, 1, 0]);
  });

  test('pictures in folders below, and a mask of another format', async () => {
    const dir = await fresh(['a.png']);
    await mkdir(join(dir, 'img_rgb', 'train'));
    await mkdir(join(dir, 'mask', 'train'));
    await picture(join(dir, 'img_rgb', 'train', 'x.tif'), 8, 8, [1, 2, 3]);
    await mask(join(dir, 'mask', 'train', 'x.png'), 8, 8, () => 1);
    await writePhrases(dir, ['train/x.tif the ship', 'none/x.tif the ship']);
    const { data, said } = await skipping(dir);
    expect(data.samples.map(({ mask }) => mask)).toMatchObject([{ path: join(dir, 'mask', 'train', 'x.png') }]);
    expect(said).toEqual([expect.stringMatching(/:2: there is no image none\/x\.tif in /)]);
  });

  test('a byte order mark, Windows line ends, tabs, no end of the last line, empty lines at the end', async () => {
    const dir = await fresh();
    const file = join(dir, 'output_phrase_train.txt');
    await writeFile(file, '\ufeffa.png  the ship \r\nb.png\tdes bateaux à gauche\r\n\r\n\r\n');
    const { data, said } = await skipping(dir);
    expect(said).toEqual([]);
    expect(data.samples.map(({ phrase }) => phrase)).toEqual(['the ship', 'des bateaux à gauche']);
    await writeFile(file, 'a.png the ship\nb.png the last');
    expect((await skipping(dir)).data.samples.map(({ phrase }) => phrase)).toEqual(['the ship', 'the last']);
  });

  test.each([
    ['utf16le', '\n'],
    ['utf16le', '\r\n'],
    ['utf16be', '\n'],
  ] as const)('a file in UTF-16, as %s, line ends %j', async (encoding, end) => {
    const dir = await fresh();
    const little = Buffer.from(['\ufeffa.png the ship', 'b.png à gauche \u{1f6f3}', ''].join(end), 'utf16le');
    await writeFile(join(dir, 'output_phrase_train.txt'), encoding === 'utf16le' ? little : little.swap16());
    const { data, said } = await skipping(dir);
    expect(said).toEqual([]);
    expect(data.samples.map(({ phrase, line }) => [line, phrase])).toEqual([
      [1, 'the ship'],
      [2, 'à gauche \u{1f6f3}'],
    ]);
  });

  test('line ends of old systems; other separators are spaces', async () => {
    const dir = await fresh();
    const file = join(dir, 'output_phrase_train.txt');
    await writeFile(file, 'a.png the ship\rb.png the car\r\rc.png the tank\r');
    const { data, said } = await skipping(dir);
    expect(data.samples.map(({ phrase, line }) => [line, phrase])).toEqual([
      [1, 'the ship'],
      [2, 'the car'],
      [4, 'the tank'],
    ]);
    expect(said).toEqual([`${file}:3: the line is empty`]);
    await writeFile(file, 'a.png the ship\u2028on the left\nb.png\u2029the car\u0085there\u000bis\n');
    const odd = await skipping(dir);
    expect(odd.said).toEqual([]);
    expect(odd.data.samples.map(({ phrase }) => phrase)).toEqual([
      'the ship\u2028on the left',
      'the car\u0085there\u000bis',
    ]);
  });

  test('lines that end within and between the chunks of a long file', async () => {
    const dir = await fresh(['a.png']);
    const lines = Array.from({ length: 5000 }, (_, i) => `a.png ship ${i} ${'très '.repeat(i % 13)}loin`);
    await writePhrases(dir, lines);
    const { data, said } = await skipping(dir);
    expect(said).toEqual([]);
    expect(data.samples.map(({ phrase }) => `a.png ${phrase}`)).toEqual(lines);
    expect(data.samples.at(-1)!.line).toBe(5000);
  });
});

describe('what is wrong has its file and line', () => {
  const bad: [string, string | Buffer, RegExp][] = [
    ['no phrase', 'b.png', /there is no phrase behind b\.png/],
    ['a phrase of invisible characters', 'b.png \u200b\u0000', /there is no phrase behind b\.png/],
    ['an image that is not there', 'd.png the ship', /there is no image d\.png in .*img_rgb/],
    ['a path that leads out', '../b.png the ship', /"\.\.\/b\.png" is no name of a file in the folder/],
    ['an absolute path', '/etc/passwd the ship', /"\/etc\/passwd" is no name/],
    ['a path of Windows', 'C:\\b.png the ship', /is no name of a file/],
    ['a path through a folder and out', 'x/../../b.png the ship', /is no name of a file/],
    ['bytes that are not UTF-8', Buffer.from('b.png caf\xe9', 'latin1'), /the line is not UTF-8/],
    ['an empty line', '  ', /the line is empty/],
    ['a line without end', `b.png ${'ship '.repeat(100_000)}`, /the line has 500006 bytes, over 4096/],
  ];
  test.each(bad)('%s', async (_name, line, message) => {
    const dir = await fresh();
    const file = join(dir, 'output_phrase_train.txt');
    await writeFile(file, Buffer.concat([Buffer.from('a.png one\n'), Buffer.from(line), Buffer.from('\nc.png two\n')]));
    const { data, said } = await skipping(dir);
    expect(data.samples.map(({ phrase, line }) => [phrase, line])).toEqual([
      ['one', 1],
      ['two', 3],
    ]);
    expect(said).toEqual([expect.stringMatching(message)]);
    expect(said[0]!.startsWith(`${file}:2: `)).toBe(true);
    expect(await fault(dir)).toBe(`${said[0]} (--on-bad skip would go on without it)`);
  });

  test('a mask that is not there', async () => {
    const dir = await fresh();
    await rm(join(dir, 'mask', 'b.png'));
    expect((await skipping(dir)).said).toEqual([
      `${dir}/output_phrase_train.txt:2: there is no mask b.png in ${dir}/mask`,
    ]);
  });

  test('an image of a kind that is not read, beside a mask that is there', async () => {
    const dir = await fresh();
    await writeFile(join(dir, 'img_rgb', 'x.bmp'), 'BM');
    await mask(join(dir, 'mask', 'x.png'), 8, 8, () => 1);
    await writePhrases(dir, ['x.bmp ship']);
    expect(await fault(dir)).toBe(
      `${dir}/output_phrase_train.txt:1: cannot read ${dir}/img_rgb/x.bmp: it is not a PNG, JPEG, TIFF or WebP image (--on-bad skip would go on without it)`,
    );
  });

  test('a mask of another size, a file that is no picture', async () => {
    const dir = await fresh();
    await mask(join(dir, 'mask', 'a.png'), 8, 7, () => 1);
    await writeFile(join(dir, 'img_rgb', 'c.png'), 'hello');
    const { data, said } = await skipping(dir);
    expect(data.samples.map(({ line }) => line)).toEqual([2]);
    expect(said).toEqual([
      `${dir}/output_phrase_train.txt:1: the mask ${dir}/mask/a.png has 8 × 7 pixels, and its image 8 × 8`,
      `${dir}/output_phrase_train.txt:3: cannot read ${dir}/img_rgb/c.png: it is not a PNG, JPEG, TIFF or WebP image`,
    ]);
  });

  test('ten are told and the rest is counted', async () => {
    const dir = await fresh();
    await writePhrases(dir, ['a.png ship', ...Array.from({ length: 13 }, (_, i) => `none-${i}.png ship`)]);
    const { data, said } = await skipping(dir);
    expect(data.samples.length).toBe(1);
    expect(said.slice(0, 10)).toEqual(
      Array.from({ length: 10 }, (_, i) => expect.stringContaining(`:${i + 2}: there is no image none-${i}.png`)),
    );
    expect(said.slice(10)).toEqual(['and 3 more problems like these']);
  });
});

describe('what is no data set is one line', () => {
  test('a missing folder, one without pictures, without phrases, without the split', async () => {
    expect(await fault(at('nowhere'))).toMatch(/^cannot read .*nowhere: no such file or folder$/);
    const dir = await fresh();
    expect(await fault(dir, 'val')).toBe(`${dir} has no split "val": it has train`);
    expect(await fault(dir, '../train')).toBe(`${dir} has no split "../train": it has train`);
    await rm(join(dir, 'mask'), { recursive: true });
    expect(await fault(dir)).toBe(`${dir} is not laid out as RISBench is: it has no folder mask or masks`);
    await rm(join(dir, 'output_phrase_train.txt'));
    expect(await fault(dir)).toBe(
      `${dir} is no data set: it has none of output_phrase_train.txt (RISBench, RefSegRS), samples_train.jsonl and rrsisd/refs(unc).p (RRSIS-D)`,
    );
  });

  test('a phrase file without a line, whatever there is of attributes', async () => {
    const dir = await fresh();
    await writePhrases(dir, []);
    await writeFile(join(dir, 'attributes_train.jsonl'), '{}\n');
    const empty = `${dir}/output_phrase_train.txt is empty: put phrases into it, or remove it`;
    expect(await fault(dir)).toBe(empty);
    await expect(skipping(dir)).rejects.toThrow(empty);
  });

  test('no sample is left', async () => {
    const dir = await fresh();
    await writePhrases(dir, ['d.png ship']);
    await expect(skipping(dir)).rejects.toThrow(`${dir}/output_phrase_train.txt has no sample that can be used`);
  });
});

describe('attributes', () => {
  const ship = { category: 'ship', attributes: { color: 'white', position: 'left' } };
  const car = { category: 'car' };

  test('line for line; a line of the phrases that is left out keeps the others in step', async () => {
    const dir = await fresh();
    await writePhrases(dir, ['a.png the ship', 'none.png the boat', 'b.png the car']);
    const lines = [ship, { category: 'boat' }, car].map((line) => JSON.stringify(line));
    await writeFile(join(dir, 'attributes_train.jsonl'), `${lines.join('\r\n')}\r\n`);
    const { data } = await skipping(dir);
    expect(data.samples).toMatchObject([
      { phrase: 'the ship', ...ship },
      { phrase: 'the car', ...car },
    ]);
    expect(data.samples[1]).not.toHaveProperty('attributes');
  });

  test.each([
    ['{"category": "ship"', 'the line is not JSON'],
    ['[1]', 'the line is not a JSON object'],
    ['{"category": 3}', '"category" is not a string'],
    ['{"attributes": "white"}', '"attributes" is not an object'],
    ['{"attributes": {"color": 3}}', 'the attribute "color" is not a string'],
  ])('%s: %s, and the phrase stays', async (line, message) => {
    const dir = await fresh();
    const file = join(dir, 'attributes_train.jsonl');
    await writeFile(file, `${JSON.stringify(ship)}\n${line}\n${JSON.stringify(car)}\n`);
    const { data, said } = await skipping(dir);
    expect(data.samples.map(({ category }) => category)).toEqual(['ship', undefined, 'car']);
    expect(said).toEqual([`${file}:2: ${message}`]);
    expect(await fault(dir)).toContain(`${file}:2: ${message}`);
  });

  test('another number of lines than phrases: none is believed', async () => {
    const dir = await fresh();
    const file = join(dir, 'attributes_train.jsonl');
    await writeFile(file, `${JSON.stringify(ship)}\n`);
    const { data, said } = await skipping(dir);
    expect(data.samples.map(({ category }) => category)).toEqual([undefined, undefined, undefined]);
    expect(said).toEqual([
      `${file}:2: 1 lines for the 3 of ${dir}/output_phrase_train.txt: categories and attributes are left out`,
    ]);
  });
});

test('what a data set is to a run that goes on: its phrases, not where it lies nor which pictures are there', async () => {
  const hash = async (dir: string) => (await skipping(dir)).data.hash;
  const dir = await fresh();
  const whole = await hash(dir);
  expect(await hash(`${dir}/`)).toBe(whole);
  expect(await hash(await fresh())).toBe(whole);
  await rm(join(dir, 'img_rgb', 'b.png'));
  await writeFile(join(dir, 'mask', 'c.png'), 'no picture');
  const { data } = await skipping(dir);
  expect(data).toMatchObject({ lines: 3, hash: whole, samples: [{ line: 1 }] });
  await writePhrases(dir, ['a.png ship number 0', 'b.png ship number 1', 'c.png ship number 3']);
  expect(await hash(dir)).not.toBe(whole);
  await writePhrases(dir, ['a.png ship number 0', 'b.png ship number 1']);
  expect(await hash(dir)).not.toBe(whole);
});

describe('sizes are kept', () => {
  const cacheOf = (dir: string) => join(dir, '.crobc-sizes.json');
  type Cache = { version: number; files: Record<string, [number, number, number, number]>; sha256: string };
  const lie = async (path: string, name: string, sealed = true) => {
    const cache = JSON.parse(await readFile(path, 'utf8')) as Cache;
    cache.files[name]![2] = 99;
    if (sealed) cache.sha256 = createHash('sha256').update(JSON.stringify(cache.files)).digest('hex');
    await writeFile(path, JSON.stringify(cache));
  };

  test('beside the data, until a file changes', async () => {
    const dir = await fresh();
    await skipping(dir);
    expect(Object.keys((JSON.parse(await readFile(cacheOf(dir), 'utf8')) as Cache).files).sort()).toEqual(
      ['img_rgb', 'mask'].flatMap((folder) => ['a', 'b', 'c'].map((name) => `${folder}/${name}.png`)),
    );
    // What is kept is believed, as this false size shows.
    await lie(cacheOf(dir), 'img_rgb/b.png');
    expect((await skipping(dir)).said).toEqual([expect.stringContaining('and its image 99 × 8')]);
    await utimes(join(dir, 'img_rgb', 'b.png'), new Date(0), new Date(0));
    expect((await skipping(dir)).said).toEqual([]);
  });

  test('and not believed where a number was changed', async () => {
    const dir = await fresh();
    await skipping(dir);
    await lie(cacheOf(dir), 'img_rgb/b.png', false);
    expect((await skipping(dir)).said).toEqual([]);
  });

  test('elsewhere, where the folder cannot be written', async () => {
    const dir = await fresh();
    // A folder in the place of the file: nobody can write it, root neither.
    await mkdir(join(cacheOf(dir), 'x'), { recursive: true });
    expect((await skipping(dir)).data.samples.length).toBe(3);
    const cache = at('cache');
    await mkdir(cache);
    const open = () => openDataset(dir, 'train', { onBad: 'stop', report: () => undefined, cache });
    await open();
    await lie(cacheOf(cache), 'mask/a.png');
    await expect(open()).rejects.toThrow('has 99 × 8 pixels');
  });

  test.each(['', '{', '{"version": 1}', '{"version": 1, "files": {"img_rgb/a.png": 3}}', '[]', 'null'])(
    'a damaged cache, %s, is made anew',
    async (text) => {
      const dir = await fresh(['a.png']);
      await writeFile(cacheOf(dir), text);
      expect((await skipping(dir)).said).toEqual([]);
      expect(Object.keys((JSON.parse(await readFile(cacheOf(dir), 'utf8')) as Cache).files).length).toBe(2);
    },
  );
});
