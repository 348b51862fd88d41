import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { checkDataset } from '../../../runtime/data/check.ts';
import { openLayout } from '../../../runtime/data/open-layout.ts';
import { measureSplit, statisticsOf } from '../../../runtime/data/statistics.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { dataFolder, mask, writePhrases } from './data-folder.ts';

const at = temporaryFolder();
const names = (n: number) => Array.from({ length: n }, (_, i) => `${i}.png`);

test('a sound data set: every split, nothing found', async () => {
  const dir = await dataFolder(at('sound'), names(3));
  await writePhrases(dir, ['0.png the last'], 'test');
  await writePhrases(dir, ['1.png the first'], 'val');
  expect((await checkDataset(dir)).splits).toEqual([
    { split: 'train', samples: 3, findings: [] },
    { split: 'val', samples: 1, findings: [] },
    { split: 'test', samples: 1, findings: [] },
  ]);
  expect(await checkDataset(dir, { split: 'val' })).toEqual({
    splits: [{ split: 'val', samples: 1, findings: [] }],
    summary: undefined,
  });
});

test('everything that is wrong in one run, by line: lines, headers, pixels', async () => {
  const dir = await dataFolder(at('wrong'), names(6));
  const lines = [
    '0.png ship',
    '1.png ship',
    '2.png ship',
    '3.png ship',
    '4.png ship',
    'none.png ship',
    '5.png',
    '0.png ship',
    '1.png car',
  ];
  const phrases = await writePhrases(dir, lines);
  const path = join(dir, 'img_rgb', '1.png');
  await writeFile(path, (await readFile(path)).subarray(0, 60));
  await mask(join(dir, 'mask', '2.png'), 9, 8, () => 1);
  await mask(join(dir, 'mask', '3.png'), 8, 8, () => 0);
  await rm(join(dir, 'mask', '4.png'));
  const attributes = join(dir, 'attributes_train.jsonl');
  await writeFile(attributes, lines.map((_, i) => (i === 2 ? 'nonsense\n' : '{}\n')).join(''));
  const [train] = (await checkDataset(dir, { split: 'train' })).splits;
  expect(train!.samples).toBe(6);
  const error = (file: string, line: number, text: unknown) => ({ file, line, text, severity: 'error' });
  const truncated = expect.stringMatching(/^cannot read .*img_rgb\/1\.png: the image is truncated or damaged/);
  expect(train!.findings).toEqual([
    error(phrases, 2, truncated),
    {
      ...error(phrases, 3, `the mask ${dir}/mask/2.png has 9 × 8 pixels, and its image 8 × 8`),
      hint: expect.stringContaining('--on-size-mismatch resize'),
    },
    { file: phrases, line: 4, severity: 'note', text: `the mask ${dir}/mask/3.png is empty: no value is above 0` },
    error(phrases, 5, `there is no mask 4.png in ${dir}/mask`),
    error(phrases, 6, `there is no image none.png in ${dir}/img_rgb`),
    error(phrases, 7, 'there is no phrase behind 5.png'),
    { file: phrases, line: 8, severity: 'note', text: 'the same as line 1' },
    error(phrases, 9, truncated),
    error(attributes, 3, 'the line is not JSON'),
  ]);
});

test('masks that are JPEG files are named once', async () => {
  const dir = await dataFolder(at('lossy'), names(3));
  for (const i of [1, 2]) {
    await rm(join(dir, 'mask', `${i}.png`));
    await sharp({ create: { width: 8, height: 8, channels: 3, background: '#fff' } })
      .jpeg()
      .toFile(join(dir, 'mask', `${i}.jpg`));
  }
  const { findings } = (await checkDataset(dir, { split: 'train' })).splits[0]!;
  expect(findings).toMatchObject([
    { line: 2, severity: 'note', text: expect.stringMatching(/^a mask is a JPEG file/) },
  ]);
});

test('a split without a line', async () => {
  const dir = await dataFolder(at('none'), names(1));
  await writeFile(join(dir, 'output_phrase_val.txt'), '');
  const [val] = (await checkDataset(dir, { split: 'val' })).splits;
  expect(val!.findings).toMatchObject([{ line: 1, severity: 'error', text: 'there is no phrase' }]);
});

test('statistics, counted by hand', async () => {
  const dir = await dataFolder(at('counted'), names(3));
  await writePhrases(dir, [
    '0.png The white ship',
    '1.png ship',
    '1.png ship',
    '2.png the ship, on the left',
    'x.png no',
  ]);
  await mask(join(dir, 'mask', '2.png'), 10, 20, (x, y) => (x === 0 && y < 2 ? 1 : 0));
  const known = [
    { category: 'ship', attributes: { color: 'white' } },
    { category: 'boat' },
    { category: 'ship', attributes: { color: 'red' } },
    { category: 'ship', attributes: { color: 'red', size: 'small' } },
    {},
  ];
  await writeFile(join(dir, 'attributes_train.jsonl'), known.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const said: string[] = [];
  expect(
    statisticsOf('train', [await measureSplit(await openLayout(dir), 'train', (problem) => said.push(problem))]),
  ).toEqual({
    split: 'train',
    phrases: 4,
    images: 3,
    distinctPhrases: 3,
    distinctWords: 6,
    wordsPerPhrase: { least: 1, median: 2, mean: 11 / 4, most: 6 },
    phraseLengths: [
      [1, 2],
      [3, 1],
      [6, 1],
    ],
    words: [
      ['ship', 4],
      ['the', 3],
      [',', 1],
      ['left', 1],
      ['on', 1],
      ['white', 1],
    ],
    categories: [
      ['ship', 3],
      ['boat', 1],
    ],
    attributes: {
      color: [
        ['red', 2],
        ['white', 1],
      ],
      size: [['small', 1]],
    },
    sizes: [
      ['8 × 8', 3],
      ['10 × 20', 1],
    ],
    maskArea: { least: 0.01, median: 0.5, mean: 1.51 / 4, most: 0.5 },
    maskAreas: [
      [0.001, 0],
      [0.003, 0],
      [0.01, 1],
      [0.03, 0],
      [0.1, 0],
      [0.3, 0],
      [1, 3],
    ],
    areasByCategory: [
      ['ship', { least: 0.01, median: 0.5, mean: 1.01 / 3, most: 0.5 }],
      ['boat', { least: 0.5, median: 0.5, mean: 0.5, most: 0.5 }],
    ],
    withoutTarget: 0,
    emptyMasks: 0,
    unreadable: 1,
  });
  expect(said).toEqual([`${dir}/output_phrase_train.txt:5: there is no image x.png in ${dir}/img_rgb`]);
});
