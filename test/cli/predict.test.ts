// slow: opens models

import { copyFile, mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { fixture } from '../runtime/images/tiff/fixtures.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, crobcProcess, type Ran, tiny } from './crobc.ts';
import { safetensorsBytes, tinyWeights } from './safetensors-bytes.ts';

const at = temporaryFolder();
let folder: string;

/** An image in which nothing is black. */
const grey = (width: number, height: number, channels: 3 | 4 = 3) =>
  sharp({ create: { width, height, channels, background: { r: 90, g: 120, b: 60, alpha: 0.5 } } });

beforeAll(async () => {
  folder = at('work');
  await mkdir(folder);
  await writeFile(`${folder}/tiny.crob`, tiny);
  await writeFile(`${folder}/tiny.safetensors`, safetensorsBytes(tinyWeights));
  await writeFile(`${folder}/plain.crob`, 'model Plain {\n  input x: f32[B, 3]\n  output y = x + x\n}\n');
  await writeFile(`${folder}/open.crob`, tiny.slice(0, tiny.indexOf('recipe')));
  await writeFile(`${folder}/no-image.png`, 'this is no image');
  await writeFile(`${folder}/empty.png`, '');
  await grey(40, 30).png().toFile(`${folder}/scene.png`);
  const varied = Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => (i * i * 7919) % 251);
  await sharp(varied, { raw: { width: 40, height: 30, channels: 3 } })
    .png()
    .toFile(`${folder}/varied.png`);
  await grey(40, 30).jpeg().toFile(`${folder}/scene.jpg`);
  await grey(40, 30).tiff().toFile(`${folder}/scene.tif`);
  await grey(1, 1).png().toFile(`${folder}/pixel.png`);
  await grey(40, 30, 4).png().toFile(`${folder}/alpha.png`);
  await grey(40, 30).toColourspace('rgb16').png().toFile(`${folder}/deep.png`);
  await grey(40, 30).toColourspace('b-w').png().toFile(`${folder}/grey.png`);
  const words = Array.from({ length: 3000 }, (_, i) => `word${i}`);
  await writeFile(`${folder}/large.txt`, ['[PAD]', '[UNK]', '[CLS]', '[SEP]', ...words].join('\n'));
  await writeFile(`${folder}/bare.txt`, 'the\nwhite\nship\n');
});

/** Tiny with weights for which every logit is 8 for each token: the mask is the whole image. */
const words = ['predict', 'tiny.crob', '-w', 'tiny.safetensors', '--device', 'cpu'];
const predict = (...args: string[]): Promise<Ran> => crobc([...words, ...args], { cwd: folder });

describe('CroBIM_micro', () => {
  test('writes mask, overlay and JSON, and says what they show', async () => {
    const model = `${process.cwd()}/models/crobim.crob`;
    const args = ['-m', 'CroBIM_micro', '-i', 'scene.png', '-t', 'the white ship', '--device', 'cpu', '--threads', '1'];
    const ran = await crobc(['predict', model, ...args, '-o', 'micro'], { cwd: folder });
    expect(ran.err).toBe('note: no --weights: the model is untrained and its mask means nothing\n');
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(
      /^CroBIM_micro on cpu: [\d.,]+ ms\n {2}area {5}[\d,]+ of 1,200 pixels \([\d.]+ %\)\n {2}box .*\n {2}score .*\n {2}mask {5}micro\/scene\.mask\.png\n {2}overlay {2}micro\/scene\.overlay\.png\n {2}json {5}micro\/scene\.json\n$/,
    );
    const json = JSON.parse(await readFile(`${folder}/micro/scene.json`, 'utf8'));
    expect(json).toMatchObject({
      model: 'CroBIM_micro',
      tokens: ['the', 'white', 'ship'],
      truncated: false,
      width: 40,
      height: 30,
    });
    expect(json.fraction).toBeCloseTo(json.area / 1200, 10);
    const mask = await sharp(`${folder}/micro/scene.mask.png`).greyscale().raw().toBuffer({ resolveWithObject: true });
    expect(mask.info).toMatchObject({ width: 40, height: 30 });
    expect(mask.data.filter((v) => v > 0).length).toBe(json.area);
    const overlay = await sharp(`${folder}/micro/scene.overlay.png`).metadata();
    expect(overlay).toMatchObject({ width: 40, height: 30, channels: 3 });
  });
});

describe('images', () => {
  test.concurrent.each([
    ['scene.png', 40, 30],
    ['scene.jpg', 40, 30],
    ['scene.tif', 40, 30],
    ['pixel.png', 1, 1],
    ['alpha.png', 40, 30],
    ['deep.png', 40, 30],
    ['grey.png', 40, 30],
  ])('%s is read, and its mask has its size', async (image, width, height) => {
    const out = `from-${image}`;
    const ran = await predict('-i', image, '-t', 'the white ship', '-o', out, '--json');
    expect(ran).toMatchObject({ code: 0, err: '' });
    const found = JSON.parse(ran.out);
    // 5 tokens with [CLS] and [SEP]: every logit is 40, and so the score is 1.
    expect(found).toMatchObject({ width, height, area: width * height, fraction: 1, score: 1, device: 'cpu' });
    expect(found.box).toEqual({ left: 0, top: 0, right: width, bottom: height });
    const mask = await sharp(`${folder}/${found.files.mask}`).metadata();
    expect(mask).toMatchObject({ width, height });
  });

  test.concurrent.each([
    ['no-image.png', /^crobc: [^\n]*no-image\.png[^\n]*\n$/],
    ['empty.png', /^crobc: [^\n]*empty\.png[^\n]*\n$/],
    ['none.png', /^crobc: cannot read none\.png: no such file or folder\n$/],
  ])('%s is one line', async (image, err) => {
    const ran = await predict('-i', image, '-t', 'ship', '-o', 'never');
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toMatch(err);
    expect(await readdir(folder)).not.toContain('never');
  });
});

describe('bands', () => {
  const five = fixture('uint16-five-bands');
  const predicted = async (...args: string[]) => {
    const ran = await predict('-i', five, '-t', 'ship', '-o', 'bands', '--json', ...args);
    expect(ran.code, ran.err).toBe(0);
    return { err: ran.err, assumed: JSON.parse(ran.out).assumed };
  };

  test('what is assumed about them is said, and what is chosen is not', async () => {
    const assumed =
      'it has 5 bands, and the first three are taken as red, green and blue; --bands takes others, such as --bands 4,3,2';
    expect(await predicted()).toEqual({ err: `note: ${five}: ${assumed}\n`, assumed: [assumed] });
    expect(await predicted('--bands', '4,3,2')).toEqual({ err: '', assumed: [] });
    expect(await predicted('--bands', '4', '--stretch', '2,98')).toEqual({ err: '', assumed: [] });
  });

  test('the mask depends on the bands', async () => {
    const scores = [];
    for (const args of [
      ['--bands', '1,2,3'],
      ['--bands', '5'],
      ['--bands', '5', '--stretch', '40,60'],
    ]) {
      const ran = await crobc(
        ['predict', 'tiny.crob', '--device', 'cpu', '-i', five, '-t', 'ship', '-o', 'bands', '--json', ...args],
        {
          cwd: folder,
        },
      );
      const { area, score } = JSON.parse(ran.out);
      scores.push(`${area} ${score}`);
    }
    expect(new Set(scores).size).toBe(3);
  });

  test.each([
    [['--bands', '1,2'], 'It is not three bands such as 4,3,2, or one.'],
    [['--stretch', '98,2'], 'It is not two percentiles such as 2,98, the lower first, or none.'],
  ])('%s is wrong usage', async (args, err) => {
    const ran = await predict('-i', five, '-t', 'ship', ...args);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain(err);
  });
});

describe('sentences', () => {
  test('more words than fit: a note, and the rest is cut off', async () => {
    const ran = await predict('-i', 'scene.png', '-t', 'ship '.repeat(50), '-o', 'long');
    expect(ran).toMatchObject({
      code: 0,
      err: 'note: the sentence has more words than the model takes; the rest was cut off\n',
    });
  });

  test('longer than any sentence: one line, at once', async () => {
    const ran = await predict('-i', 'none.png', '-t', 'a'.repeat(60_000), '-o', 'never');
    const err = 'error: --text has 60,000 characters, and at most 4,096 are taken: give one sentence\n';
    expect(ran).toEqual({ code: 2, out: '', err });
    expect((await predict('-i', 'scene.png', '-t', 'a '.repeat(2048), '-o', 'longest')).code).toBe(0);
  });

  test('a command line that onnxruntime would crash at: one line', async () => {
    const flags = Array.from({ length: 5200 }, () => '--json');
    const args = [...words, '-i', 'scene.png', '-t', 'ship', '-o', 'crowded', ...flags];
    const ran = await crobcProcess(args, { cwd: folder });
    expect(ran).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(
        /^crobc: the command line has 36,\d{3} bytes, and onnxruntime works with 16,384 at most: /,
      ),
    });
  });

  test.each(['', '   '])('%j is refused', async (text) => {
    const ran = await predict('-i', 'scene.png', '-t', text, '-o', 'never');
    expect(ran).toEqual({ code: 1, out: '', err: 'crobc: the sentence is empty\n' });
  });
});

describe('vocabularies', () => {
  test.concurrent.each([
    ['none.txt', /^crobc: cannot read none\.txt: no such file or folder\n$/],
    ['bare.txt', /^crobc: bare\.txt is not a WordPiece vocabulary: it has no \[PAD\]\n$/],
    [
      'large.txt',
      /^crobc: the vocabulary has 3004 word pieces and the model a table of 2560: they do not belong together\n$/,
    ],
  ])('%s', async (file, err) => {
    const ran = await predict('-i', 'scene.png', '-t', 'ship', '--tokenizer', file, '-o', 'never');
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toMatch(err);
  });
});

describe('models', () => {
  test('one without the inputs that predict feeds', async () => {
    const ran = await crobc(['predict', 'plain.crob', '-i', 'scene.png', '-t', 'ship'], { cwd: folder });
    expect(ran).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/^crobc: this command needs a model with .*Plain has x\n$/),
    });
  });

  test('one whose image size nothing binds', async () => {
    const ran = await crobc(['predict', 'open.crob', '-i', 'scene.png', '-t', 'ship'], { cwd: folder });
    expect(ran).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/^crobc: the image size is open: bind it, .*--set H=480,W=480/),
    });
  });
});

describe('sizes', () => {
  test.concurrent.each([
    ['B=2', /^crobc: predict has one image, and Tiny takes 2 at a time \(B = 2\): leave B open\n$/],
    [
      'H=160000,W=160000',
      /^crobc: images of 160000 × 160000 do not fit into this machine's memory of [^:]*: patch takes 333\.8 GiB or more; images of [\d,]+ times fewer pixels fit\n$/,
    ],
    [
      'H=2000000000,W=2000000000',
      /^crobc: Tiny is too large at H = 2000000000, W = 2000000000, T = 8: its sizes lead to numbers beyond 2\^53/,
    ],
    ['T=2', /^crobc: a sentence needs room for 3 tokens, \[CLS\] and \[SEP\] among them, and has 2\n$/],
  ])('%s is one line', async (set, err) => {
    const ran = await predict('-i', 'scene.png', '-t', 'ship', '-o', 'never', '--set', set);
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toMatch(err);
    expect(await readdir(folder)).not.toContain('never');
  });

  test('B = 1 is what it has', async () => {
    expect((await predict('-i', 'scene.png', '-t', 'ship', '-o', 'single', '--set', 'B=1')).code).toBe(0);
  });
});

describe('the built model', () => {
  const out = (name: string) => `${folder}/${name}`;
  const cached = async (name: string) => (await stat(`${out(name)}/model-cache/Tiny.onnx`)).mtimeMs;
  /** Mean probability and area: another model gives others. */
  const score = async (...args: string[]) => {
    const ran = await crobc(
      ['predict', 'tiny.crob', '--device', 'cpu', '-i', 'varied.png', '-t', 'ship', ...args, '--json'],
      {
        cwd: folder,
      },
    );
    expect(ran.code, ran.err).toBe(0);
    const { area, score } = JSON.parse(ran.out);
    return [area, score];
  };
  const build = (...args: string[]) => crobc(['build', 'tiny.crob', ...args], { cwd: folder });

  test('is built once, and again when the model changes', async () => {
    const run = (...args: string[]) => predict('-i', 'scene.png', '-t', 'ship', '-o', 'twice', ...args);
    await run();
    const first = await cached('twice');
    await run();
    expect(await cached('twice')).toBe(first);
    await run('--set', 'T=5');
    expect(await cached('twice')).not.toBe(first);
    expect((await readdir(out('twice'))).sort()).toEqual([
      'model-cache',
      'scene.json',
      'scene.mask.png',
      'scene.overlay.png',
    ]);
  });

  test('is never that of another build in the folder, and leaves it as it was', async () => {
    const truth = await score('-o', 'alone');
    const others = [
      ['--seed', '5'],
      ['--set', 'H=64,W=64,T=20'],
      ['--dtype', 'f16'],
    ];
    for (const [i, args] of others.entries()) {
      await build(...args, '-o', 'shared');
      const before = await readFile(`${out('shared')}/Tiny.onnx`);
      expect(await score('-o', 'shared'), others[i]!.join(' ')).toEqual(truth);
      expect(await readFile(`${out('shared')}/Tiny.onnx`)).toEqual(before);
    }
    expect(await score('--seed', '5', '-o', 'shared')).not.toEqual(truth);
  });

  test('is the one that `build` wrote, where that is the same', async () => {
    await build('--set', 'H=32,W=32,T=8', '-o', 'built');
    const truth = await score('-o', 'alone');
    expect(await score('-o', 'built')).toEqual(truth);
    expect(await readdir(`${out('built')}/model-cache`)).toEqual(['digests.json']);
    // Its bytes count, and not what its manifest says.
    await build('--set', 'H=32,W=32,T=8', '--seed', '3', '-o', 'forged');
    await copyFile(`${out('built')}/Tiny.manifest.json`, `${out('forged')}/Tiny.manifest.json`);
    expect(await score('-o', 'forged')).toEqual(truth);
  });

  test('is the one for the device that runs it, and never one for another, as a note says', async () => {
    const sizes = ['--set', 'H=32,W=32,T=8'];
    const run = (out: string) =>
      crobc(['predict', 'tiny.crob', '--device', 'cpu', '-i', 'scene.png', '-t', 'ship', '-o', out], { cwd: folder });
    await build(...sizes, '--for', 'cpu', '-o', 'for-cpu');
    expect((await run('for-cpu')).err).not.toContain('build --for');
    expect(await readdir(`${out('for-cpu')}/model-cache`)).toEqual(['digests.json']);
    await build(...sizes, '--for', 'cuda', '-o', 'for-cuda');
    const first = await run('for-cuda');
    expect([first.code, first.err]).toEqual([
      0,
      expect.stringContaining(
        'the build in for-cuda is for cuda (build --for), and this runs on cpu: Tiny was built again',
      ),
    ]);
    expect((await run('for-cuda')).err).not.toContain('build --for');
  });

  test('is built again when its file is damaged, or its weights are others of the same name, size and time', async () => {
    await copyFile(`${folder}/tiny.safetensors`, `${folder}/own.safetensors`);
    const weights = ['-w', 'own.safetensors', '-o', 'damaged'];
    const truth = await score(...weights);
    await writeFile(`${out('damaged')}/model-cache/Tiny.onnx`, 'damaged');
    expect(await score(...weights)).toEqual(truth);
    const times = await stat(`${folder}/own.safetensors`);
    const other = Object.entries(tinyWeights).map(([name, { shape, values }]) => [
      name,
      { shape, values: values.map((v) => (name.startsWith('patch') ? -v : v)) },
    ]);
    await writeFile(`${folder}/own.safetensors`, safetensorsBytes(Object.fromEntries(other)));
    await utimes(`${folder}/own.safetensors`, times.atime, times.mtime);
    expect(await score(...weights)).not.toEqual(truth);
  });

  test('two at once in one folder do not mix', async () => {
    const [zero, one] = await Promise.all([score('--seed', '0', '-o', 'zero'), score('--seed', '1', '-o', 'one')]);
    const seeds = [0, 1, 0, 1];
    const found = await Promise.all(seeds.map((seed) => score('--seed', String(seed), '-o', 'crowd')));
    expect(found).toEqual(seeds.map((seed) => [zero, one][seed]));
  });
});
