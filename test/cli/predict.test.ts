import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, type Ran, tiny } from './crobc.ts';
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
const predict = (...args: string[]): Promise<Ran> =>
  crobc(['predict', 'tiny.crob', '-w', 'tiny.safetensors', '--device', 'cpu', ...args], { cwd: folder });

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
    ['.', /^crobc: cannot read \.: [^\n]*\n$/],
  ])('%s is one line', async (image, err) => {
    const ran = await predict('-i', image, '-t', 'ship', '-o', 'never');
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toMatch(err);
    expect(await readdir(folder)).not.toContain('never');
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

  test('a model is built once, and again when its weights change', async () => {
    const out = `${folder}/twice`;
    const run = (...args: string[]) => predict('-i', 'scene.png', '-t', 'ship', '-o', 'twice', ...args);
    await run();
    const first = await stat(`${out}/Tiny.onnx`);
    await run();
    expect((await stat(`${out}/Tiny.onnx`)).mtimeMs).toBe(first.mtimeMs);
    await run('--set', 'T=5');
    expect((await stat(`${out}/Tiny.onnx`)).mtimeMs).not.toBe(first.mtimeMs);
  });
});
