// slow: opens models

import { copyFile, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { fixture } from '../runtime/images/tiff/fixtures.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, type Ran, tiny } from './crobc.ts';

const at = temporaryFolder();
let folder: string;

beforeAll(async () => {
  folder = at('work');
  await mkdir(`${folder}/images`, { recursive: true });
  await writeFile(`${folder}/tiny.crob`, tiny);
  for (let i = 0; i < 3; i++) {
    const data = Uint8Array.from({ length: 40 * 30 * 3 }, (_, k) => (k * k * (i + 3)) % 251);
    await sharp(data, { raw: { width: 40, height: 30, channels: 3 } })
      .png()
      .toFile(`${folder}/images/${'abc'[i]}.png`);
  }
  await writeFile(
    `${folder}/list.csv`,
    'image,text\nimages/a.png,the ship\nimages/a.png,the airplane\nimages/b.png,"the car, left"\n',
  );
});

const predict = (...args: string[]): Promise<Ran> =>
  crobc(['predict', 'tiny.crob', '--device', 'cpu', ...args], { cwd: folder });
const untrained = 'note: no --weights: the model is untrained and its masks mean nothing\n';
const written = async (out: string) =>
  (await readdir(`${folder}/${out}`)).filter((name) => /mask|jsonl/.test(name)).sort();
const lines = async (out: string) =>
  (await readFile(`${folder}/${out}/predictions.jsonl`, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('a folder', () => {
  test('has a mask for each image, the same as alone', async () => {
    const ran = await predict('-i', 'images', '-t', 'the ship', '-o', 'all');
    expect(ran).toEqual({ code: 0, out: 'Tiny on cpu: 3 predicted\n  all/predictions.jsonl\n', err: untrained });
    expect(await written('all')).toEqual(['a.mask.png', 'b.mask.png', 'c.mask.png', 'predictions.jsonl']);
    await predict('-i', 'images/b.png', '-t', 'the ship', '-o', 'alone');
    expect(await readFile(`${folder}/all/b.mask.png`)).toEqual(await readFile(`${folder}/alone/b.mask.png`));
    const found = await lines('all');
    expect(found.map(({ image, text }) => [image, text])).toEqual(
      ['a', 'b', 'c'].map((name) => [`images/${name}.png`, 'the ship']),
    );
    expect(found[1]).toMatchObject({ files: { mask: 'all/b.mask.png' } });
  });
});

describe('a list', () => {
  test('has phrases of its own, and numbered files', async () => {
    const ran = await predict('--list', 'list.csv', '-o', 'list');
    expect(ran).toEqual({ code: 0, out: 'Tiny on cpu: 3 predicted\n  list/predictions.jsonl\n', err: untrained });
    expect(await written('list')).toEqual(['1-a.mask.png', '2-a.mask.png', '3-b.mask.png', 'predictions.jsonl']);
    expect((await lines('list')).map(({ text }) => text)).toEqual(['the ship', 'the airplane', 'the car, left']);
  });

  test('in tiles', async () => {
    const ran = await predict('--list', 'list.csv', '--tile', '16', '-o', 'tiles', '--json');
    expect(ran.code, ran.err).toBe(0);
    expect(JSON.parse(ran.out)).toMatchObject({ model: 'Tiny', predicted: 3, kept: 0, failed: 0 });
    expect(await written('tiles')).toEqual(['1-a.mask.tif', '2-a.mask.tif', '3-b.mask.tif', 'predictions.jsonl']);
  });

  test('what is assumed about images is noted once', async () => {
    await copyFile(fixture('uint16-five-bands'), `${folder}/five.tif`);
    await writeFile(`${folder}/bands.jsonl`, '{"image": "five.tif", "text": "the ship"}\n'.repeat(3));
    const { err } = await predict('--list', 'bands.jsonl', '-o', 'bands');
    expect(err.match(/it has 5 bands/g)).toHaveLength(1);
  });
});

describe('--resume', () => {
  test('leaves what is there, predicts what is new or changed, and refuses other options', async () => {
    const args = ['--list', 'list.csv', '-o', 'again'];
    await predict(...args);
    const time = async (name: string) => (await stat(`${folder}/again/${name}`)).mtimeMs;
    const before = await time('1-a.json');
    await rm(`${folder}/again/2-a.json`);
    const later = new Date(Date.now() + 60_000);
    await utimes(`${folder}/images/b.png`, later, later);
    const ran = await predict(...args, '--resume');
    expect(ran.out).toBe('Tiny on cpu: 2 predicted\n  from an earlier run  1\n  again/predictions.jsonl\n');
    expect(await time('1-a.json')).toBe(before);
    expect(await lines('again')).toHaveLength(3);
    const other = await predict(...args, '--resume', '--seed', '3');
    expect(other).toMatchObject({ code: 1, out: '' });
    expect(other.err).toContain('again has predictions with another model, weights or options');
    const vocabulary = '[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\nship\n';
    await writeFile(`${folder}/vocab.txt`, vocabulary);
    expect((await predict(...args, '--resume', '--tokenizer', 'vocab.txt')).code).toBe(1);
    expect((await predict('--list', 'list.csv', '-o', 'new', '--resume')).err).toContain('new has nothing to resume');
  });
});

describe('images that cannot be predicted', () => {
  beforeAll(async () => {
    await writeFile(`${folder}/damaged.png`, 'this is no image');
    await writeFile(`${folder}/bad.csv`, 'image,text\ndamaged.png,x\nimages/a.png,the ship\nnone.png,x\n');
  });

  test('end the run: a missing one before the model is built', async () => {
    const ran = await predict('--list', 'bad.csv', '-o', 'stopped');
    expect(ran).toEqual({ code: 1, out: '', err: 'crobc: cannot read none.png: no such file or folder\n' });
    expect(await readdir(folder)).not.toContain('stopped');
  });

  test('or are noted, and the run ends with 1', async () => {
    const ran = await predict('--list', 'bad.csv', '--on-bad', 'skip', '-o', 'skipped');
    expect(ran.code).toBe(1);
    expect(ran.out).toBe('Tiny on cpu: 1 predicted\n  not predicted        2\n  skipped/predictions.jsonl\n');
    expect(ran.err).toContain('note: cannot read damaged.png: it is not a PNG, JPEG, TIFF or WebP image\n');
    expect(ran.err).toContain('note: cannot read none.png: no such file or folder\n');
    expect(await lines('skipped')).toHaveLength(1);
  });

  test('without a phrase', async () => {
    const ran = await predict('-i', 'images', '-o', 'never');
    expect(ran).toMatchObject({ code: 1, out: '', err: 'crobc: a: Tiny takes words: say with --text what to find\n' });
  });
});

describe('options that do not go together', () => {
  test.each([
    [[], 'error: there is nothing to predict: give --image, or --list\n'],
    [['-i', 'images', '--list', 'list.csv'], 'error: --list has its own images: leave out --image\n'],
    [['--list', 'list.csv', '-t', 'x'], 'error: --list has its own phrases: leave out --text\n'],
    [
      ['-i', 'images/a.png', '--on-bad', 'skip'],
      'error: --on-bad is for a folder or a list, and --image is one file\n',
    ],
  ])('%s', async (args, err) => {
    expect(await predict(...args, '-o', 'never')).toEqual({ code: 2, out: '', err });
  });
});
