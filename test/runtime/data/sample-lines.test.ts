import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadBatches } from '../../../runtime/data/batches.ts';
import { checkDataset } from '../../../runtime/data/check.ts';
import { openDataset } from '../../../runtime/data/dataset.ts';
import { openLayout } from '../../../runtime/data/open-layout.ts';
import { measureSplit, statisticsOf } from '../../../runtime/data/statistics.ts';
import { UserError } from '../../../runtime/files/user-error.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { dataFolder, mask, picture, writePhrases } from './data-folder.ts';

const at = temporaryFolder();
let folders = 0;

/** One image of 4 × 3, with a mask for each of two objects. */
async function fresh(lines: readonly unknown[]): Promise<string> {
  const dir = at(`lines-${folders++}`);
  await mkdir(join(dir, 'images'), { recursive: true });
  await mkdir(join(dir, 'masks'));
  await picture(join(dir, 'images', 'a.png'), 4, 3, [10, 20, 30]);
  await mask(join(dir, 'masks', 'a_left.png'), 4, 3, (x) => (x === 0 ? 7 : 0));
  await mask(join(dir, 'masks', 'a_right.png'), 4, 3, (x) => (x === 3 ? 1 : 0));
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  await writeFile(join(dir, 'samples_train.jsonl'), `${text.join('\n')}\n`);
  return dir;
}

const sound = [
  { image: 'a.png', phrase: 'the left one', mask: 'a_left.png', category: 'ship', attributes: { color: 'red' } },
  { image: 'a', phrase: ' the right one ', mask: 'a_right' },
  { image: 'a.png', phrase: 'a square in the middle', mask: { size: [3, 4], counts: [4, 1, 2, 1, 4] } },
  { image: 'a.png', phrase: 'the first column', mask: { size: [3, 4], polygons: [[0, 0, 1, 0, 1, 3, 0, 3]] } },
  {
    image: 'a.png',
    phrase: 'two columns',
    mask: [
      { size: [3, 4], counts: [0, 3, 9] },
      { size: [3, 4], counts: [0, 6, 6] },
    ],
  },
  { image: 'a.png', phrase: 'the green horse', mask: null },
];

test('a mask of its own for each phrase, of every form, and none', async () => {
  const dir = await fresh(sound);
  const dataset = await openDataset(dir, 'train', { onBad: 'stop', report: (line) => expect.fail(line) });
  expect(dataset.samples.map(({ phrase, line }) => [line, phrase])).toEqual(
    sound.map(({ phrase }, i) => [i + 1, phrase.trim()]),
  );
  expect(dataset.samples[0]).toMatchObject({ category: 'ship', attributes: { color: 'red' } });
  const order = sound.map((_, i) => i);
  const batches = loadBatches(dataset, order, {
    batch: 6,
    height: 3,
    width: 4,
    text: undefined,
    ahead: 1,
    threads: 0,
    onBad: 'stop',
    report: (line) => expect.fail(line),
  });
  const { value } = await batches.next();
  const target = [...value!.feeds.target!.data].join('');
  expect(target.match(/.{12}/g)).toEqual([
    '100010001000',
    '000100010001',
    // Down the columns: the second pixel of the second column, the second of the third.
    '000001100000',
    '100010001000',
    '110011001100',
    '000000000000',
  ]);
});

test('checks and statistics know of phrases without a target', async () => {
  const dir = await fresh(sound);
  const { splits, summary } = await checkDataset(dir);
  expect(splits).toEqual([{ split: 'train', samples: 6, findings: [] }]);
  expect(summary).toMatchObject({ triplets: 6, attributes: ['category', 'color'], published: undefined });
  const found = statisticsOf('train', [
    await measureSplit(await openLayout(dir), 'train', (line) => expect.fail(line)),
  ]);
  expect(found).toMatchObject({ phrases: 6, withoutTarget: 1, emptyMasks: 0, sizes: [['4 × 3', 5]] });
});

describe('what is wrong has its line', () => {
  const line = (change: Readonly<Record<string, unknown>>) => ({ image: 'a.png', phrase: 'it', mask: null, ...change });
  const bad: [string, unknown, RegExp][] = [
    ['no JSON', '{', /^the line is not JSON$/],
    ['a list', [], /^the line is not a JSON object$/],
    [
      'a member that is misspelt',
      line({ masks: 'a.png' }),
      /^"masks" is no member of a sample, which has image, phrase, /,
    ],
    ['no mask', { image: 'a.png', phrase: 'it' }, /^"mask" is missing: give null if the phrase describes nothing/],
    ['no phrase', line({ phrase: ' ' }), /^"phrase" is " ", and has no words$/],
    ['no image', line({ image: 'b.png' }), /^there is no image b\.png in .*images$/],
    ['an image outside', line({ image: '../a.png' }), /no name of a file in the folder/],
    ['a mask outside', line({ mask: '/etc/passwd' }), /no name of a file in the folder/],
    ['no such mask', line({ mask: 'b.png' }), /^there is no mask b\.png in .*masks$/],
    ['runs without a size', line({ mask: { counts: [12] } }), /^"mask": "size" is missing, not \[height, width\]$/],
    ['runs of nothing', line({ mask: { size: [0, 4], counts: [] } }), /there are no pixels/],
    ['runs of no numbers', line({ mask: { size: [3, 4], counts: ['a'] } }), /neither a text nor a list/],
    ['an empty list', line({ mask: [] }), /^"mask" is empty/],
    [
      'sizes that differ',
      line({
        mask: [
          { size: [3, 4], counts: '' },
          { size: [4, 3], counts: '' },
        ],
      }),
      /different sizes/,
    ],
    ['two corners', line({ mask: { size: [3, 4], polygons: [[1, 2, 3, 4]] } }), /no polygon: x and y of three corners/],
    ['polygons as a number', line({ mask: { size: [3, 4], polygons: 1 } }), /^"polygons" is 1/],
    ['an attribute that is a number', line({ attributes: { size: 3 } }), /the attribute "size" is not a string/],
    [
      'another size',
      line({ mask: { size: [4, 4], counts: [16] } }),
      /^the mask has 4 × 4 pixels, and its image 4 × 3$/,
    ],
  ];
  test.each(bad)('%s', async (_, wrong, expected) => {
    const dir = await fresh([sound[0], wrong, sound[1]]);
    const { splits } = await checkDataset(dir, { split: 'train' });
    const [finding, ...others] = splits[0]!.findings.filter(({ severity }) => severity === 'error');
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      file: join(dir, 'samples_train.jsonl'),
      line: 2,
      text: expect.stringMatching(expected),
    });
  });

  test('runs that do not fill their mask are found when they are read', async () => {
    const dir = await fresh([line({ mask: { size: [3, 4], counts: [5] } })]);
    const { splits } = await checkDataset(dir, { split: 'train' });
    expect(splits[0]!.findings).toMatchObject(
      [{ text: /its runs have 5 pixels, and 3 × 4 are 12/ }].map(() => ({
        text: expect.stringMatching(/its runs have 5 pixels/),
      })),
    );
  });
});

test('two layouts in one folder', async () => {
  const dir = await dataFolder(at('both'), ['a.png']);
  await writePhrases(dir, ['a.png ship']);
  await writeFile(join(dir, 'samples_val.jsonl'), `${JSON.stringify({ image: 'a.png', phrase: 'it', mask: null })}\n`);
  const error = await openLayout(dir).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UserError);
  expect((error as Error).message).toBe(
    `${dir} has the samples of more than one layout: ${dir}/samples_val.jsonl and ${dir}/output_phrase_train.txt; remove or rename one`,
  );
});
