// slow: draws data sets

import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { checkDataset } from '../../../runtime/data/check.ts';
import { openDataset } from '../../../runtime/data/dataset.ts';
import { UserError } from '../../../runtime/files/user-error.ts';
import { formFor, makeDataSet } from '../../../runtime/synth/make-data-set.ts';
import type { Plan } from '../../../runtime/synth/write-data-set.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();

const plan = (over: Partial<Plan> = {}): Plan => ({
  seed: 5,
  form: formFor(64),
  phrases: 2,
  scenes: { train: 6, val: 2, test: 1 },
  ...over,
});

async function files(dir: string): Promise<Map<string, string>> {
  const names = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = names.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  const read = paths.sort().map(async (path) => [path.slice(dir.length), await readFile(path, 'base64')] as const);
  return new Map(await Promise.all(read));
}

const lines = async (path: string) => (await readFile(path, 'utf8')).trimEnd().split('\n');

describe('a drawn data set', () => {
  test('is the same, byte for byte, for the same options, and another for another seed', async () => {
    await makeDataSet(at('one'), plan());
    await makeDataSet(at('again'), plan());
    await makeDataSet(at('other'), plan({ seed: 6 }));
    const one = await files(at('one'));
    expect([...one.keys()].filter((name) => !/img_rgb|mask/.test(name))).toEqual(
      [
        '/attributes_test.jsonl',
        '/attributes_train.jsonl',
        '/attributes_val.jsonl',
        '/contact-sheet.png',
        '/output_phrase_test.txt',
        '/output_phrase_train.txt',
        '/output_phrase_val.txt',
        '/scenes_test.jsonl',
        '/scenes_train.jsonl',
        '/scenes_val.jsonl',
        '/statistics.json',
        '/statistics.png',
        '/statistics.svg',
        '/synth.json',
        '/vocab.txt',
        '/words.png',
        '/words.svg',
      ].concat([...one.keys()].filter((name) => name.endsWith('sizes.json'))),
    );
    expect(await files(at('again'))).toEqual(one);
    expect((await files(at('other'))).get('/img_rgb/train_00001.png')).not.toBe(one.get('/img_rgb/train_00001.png'));
  });

  test('more scenes leave the first as they are', async () => {
    await makeDataSet(at('few'), plan({ scenes: { train: 2, val: 0, test: 1 } }));
    await makeDataSet(at('more'), plan({ scenes: { train: 3, val: 1, test: 1 } }));
    expect((await lines(at('more/output_phrase_train.txt'))).slice(0, 4)).toEqual(
      await lines(at('few/output_phrase_train.txt')),
    );
    for (const name of ['img_rgb/train_00004.png', 'mask/train_00004.png', 'mask/test_00001.png']) {
      expect(await readFile(at(`more/${name}`))).toEqual(await readFile(at(`few/${name}`)));
    }
  });

  test('is read by the loader, and nothing is wrong with it', async () => {
    await makeDataSet(at('read'), plan());
    for (const { findings } of (await checkDataset(at('read'))).splits) {
      expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    }
    const report = (problem: string) => expect.fail(problem);
    for (const [split, count] of [
      ['train', 12],
      ['val', 4],
      ['test', 2],
    ] as const) {
      const { samples } = await openDataset(at('read'), split, { onBad: 'stop', report });
      expect(samples).toHaveLength(count);
      for (const { category, attributes } of samples) {
        expect(category).toMatch(/^[a-z ]+$/);
        expect(Object.keys(attributes!)).toEqual(['color', 'shape', 'size', 'position', 'relation', 'relative_size']);
      }
    }
  });

  test('masks are those of the objects that phrases name, 0 and 255', async () => {
    await makeDataSet(at('masks'), plan());
    for (const line of await lines(at('masks/scenes_train.jsonl'))) {
      const { objects, phrases } = JSON.parse(line);
      const seen = new Set<string>();
      for (const { file, object } of phrases) {
        const { data, info } = await sharp(at(`masks/mask/${file}`))
          .extractChannel(0)
          .raw()
          .toBuffer({ resolveWithObject: true });
        expect([info.width, info.height, info.channels]).toEqual([64, 64, 1]);
        const on = [...data.entries()].filter(([, v]) => v !== 0);
        expect(on.every(([, v]) => v === 255)).toBe(true);
        const { area, box, center } = objects[object];
        expect(on.length / 4096).toBeCloseTo(area, 3);
        expect(Math.min(...on.map(([i]) => i % 64)) / 64).toBeCloseTo(box[0], 3);
        expect(on.reduce((sum, [i]) => sum + Math.floor(i / 64) + 0.5, 0) / on.length / 64).toBeCloseTo(center[1], 3);
        seen.add(String(on.map(([i]) => i)));
      }
      expect(seen.size).toBe(phrases.length);
      const [first, second] = phrases.map(({ file }: { file: string }) => readFile(at(`masks/img_rgb/${file}`)));
      expect(await first).toEqual(await second);
    }
  });

  test('no scene is in two splits', async () => {
    await makeDataSet(at('splits'), plan());
    const images = new Map<string, string>();
    for (const split of ['train', 'val', 'test']) {
      for (const line of await lines(at(`splits/output_phrase_${split}.txt`))) {
        const bytes = await readFile(at(`splits/img_rgb/${line.split(' ')[0]}`), 'base64');
        expect(images.get(bytes) ?? split).toBe(split);
        images.set(bytes, split);
      }
    }
    expect(images.size).toBe(9);
  });

  test('statistics count every phrase', async () => {
    await makeDataSet(at('counted'), plan());
    const { splits } = JSON.parse(await readFile(at('counted/statistics.json'), 'utf8'));
    const sum = (counts: readonly [string, number][]) => counts.reduce((total, [, count]) => total + count, 0);
    for (const { split, phrases, categories, words, maskAreas, attributes } of splits) {
      const all = await lines(at(`counted/output_phrase_${split}.txt`));
      expect([phrases, sum(categories), sum(maskAreas), sum(attributes.color)]).toEqual(Array(4).fill(all.length));
      const said = all.flatMap((line) => line.replace(/^\S+ /, '').match(/[a-z]+|[,-]/g)!);
      expect(sum(words)).toBe(said.length);
    }
    expect(await sharp(at('counted/statistics.png')).metadata()).toMatchObject({ width: 2000 });
    expect(await readFile(at('counted/words.svg'), 'utf8')).toContain('</text>');
    expect(await sharp(at('counted/contact-sheet.png')).metadata()).toMatchObject({ width: 6 * 300 + 12 });
  });
});

describe('a folder', () => {
  test('of an interrupted run is finished, and what is there is kept', async () => {
    await makeDataSet(at('whole'), plan());
    await makeDataSet(at('part'), plan());
    for (const name of ['img_rgb/train_00003.png', 'mask/train_00003.png', 'mask/val_00001.png', 'statistics.json']) {
      await rm(at(`part/${name}`));
    }
    for (const name of ['output_phrase_train.txt', 'output_phrase_val.txt']) await rm(at(`part/${name}`));
    await truncate(at('part/mask/train_00005.png'), 0);
    await makeDataSet(at('part'), plan());
    expect(await files(at('part'))).toEqual(await files(at('whole')));
  });

  test('of other settings, or of something else, is refused and left alone', async () => {
    await makeDataSet(at('mine'), plan({ scenes: { train: 1, val: 0, test: 0 } }));
    const before = await files(at('mine'));
    await expect(makeDataSet(at('mine'), plan())).rejects.toThrow(/holds a data set made with other settings/);
    expect(await files(at('mine'))).toEqual(before);
    await mkdir(at('notes'));
    await writeFile(at('notes/a.txt'), 'a');
    await expect(makeDataSet(at('notes'), plan())).rejects.toThrow(/is not empty/);
    expect(await readdir(at('notes'))).toEqual(['a.txt']);
    await expect(makeDataSet(at('notes/a.txt'), plan())).rejects.toThrow(UserError);
  });
});

describe('options', () => {
  test('sizes, objects and phrases that cannot be drawn are refused in one line', async () => {
    for (const size of [0, 63, 1025, 128.5]) expect(() => formFor(size)).toThrow(/64 to 1024/);
    for (const objects of ['4', '4,3', '0,2', '2,x', '1,2,3', '3,99', ''])
      expect(() => formFor(128, 'easy', objects), objects).toThrow(UserError);
    expect(formFor(128, 'easy', '2,5').objects).toEqual([2, 5]);
    await expect(makeDataSet(at('many'), plan({ phrases: 4 }))).rejects.toThrow(/may have only 3/);
    await expect(makeDataSet(at('none'), plan({ phrases: 0 }))).rejects.toThrow(UserError);
  });

  test('small images have fewer and larger objects', () => {
    expect(formFor(128)).toEqual(formFor(128, 'easy'));
    expect(formFor(512)).toEqual(formFor(512, 'standard'));
    expect(formFor(128).scale).toBeGreaterThan(formFor(512).scale);
  });
});
