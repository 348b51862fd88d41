// slow: opens models

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, type Ran, tiny } from './crobc.ts';

const at = temporaryFolder();
let folder: string;

beforeAll(async () => {
  folder = at('work');
  await mkdir(folder);
  await writeFile(`${folder}/tiny.crob`, tiny);
  const pixels = Uint8Array.from({ length: 80 * 60 * 3 }, (_, i) => (i * i * 7919) % 251);
  await sharp(pixels, { raw: { width: 80, height: 60, channels: 3 } })
    .png()
    .toFile(`${folder}/scene.png`);
});

/** An array of float32 as NumPy reads it: the shape in the header, and the elements. */
async function npy(name: string): Promise<{ readonly shape: readonly number[]; readonly data: readonly number[] }> {
  const bytes = await readFile(`${folder}/${name}`);
  expect([...bytes.subarray(0, 8)]).toEqual([0x93, ...Buffer.from('NUMPY'), 1, 0]);
  const length = bytes.readUInt16LE(8);
  expect((10 + length) % 64).toBe(0);
  const header = bytes.toString('latin1', 10, 10 + length);
  const found = /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(([\d, ]+)\), \} *\n$/.exec(header);
  if (!found) throw new Error(header);
  const shape = found[1]!
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  const count = shape.reduce((a, b) => a * b, 1);
  expect(bytes.length).toBe(10 + length + 4 * count);
  return { shape, data: Array.from({ length: count }, (_, i) => bytes.readFloatLE(10 + length + 4 * i)) };
}

describe('predict of CroBIM_micro', () => {
  const sizes = ['--set', 'H=96,W=64,T=8', '--device', 'cpu', '--threads', '1'];
  const micro = (...args: string[]) =>
    crobc(
      ['predict', `${process.cwd()}/models/crobim.crob`, '-m', 'CroBIM_micro', '-i', 'scene.png', ...sizes, ...args],
      {
        cwd: folder,
      },
    );
  let ran: Ran;
  beforeAll(async () => {
    const written = ['lgfa.stage[0].attention', 'lgfa.compensation.deficit', 'mid.layer[1].read_vision.attention'];
    const exposed = written.flatMap((path) => ['--expose', path]);
    ran = await micro('-t', 'the white ship', '--attention', ...exposed, '-o', 'out');
  });

  test('writes sheets, a picture of each value, and what they show', async () => {
    expect(ran.code, ran.err).toBe(0);
    expect(ran.out).toContain('\n  attention  out/scene.attention.png\n  words      out/scene.attention-words.png\n');
    const record = JSON.parse(await readFile(`${folder}/out/scene.attention.json`, 'utf8'));
    expect(record.words).toEqual([
      { position: 1, text: 'the' },
      { position: 2, text: 'white' },
      { position: 3, text: 'ship' },
    ]);
    expect(record.pictures.map(({ path }: { path: string }) => path)).toEqual([
      ...[0, 1, 2, 3].map((i) => `lgfa.stage[${i}].attention`),
      'lgfa.compensation.deficit',
      ...[0, 1].flatMap((i) => ['read_vision', 'read_words'].map((name) => `mid.layer[${i}].${name}.attention`)),
    ]);
    expect(record.pictures[0]).toMatchObject({
      type: 'f32[B, 1, H*W/16, T + 4]',
      shape: [1, 1, 24 * 16, 12],
      maps: [{ height: 24, width: 16 }],
    });
    expect(record.pictures[0].named).toMatch(/^std\/fusion\.crob:\d+$/);
    for (const { file } of record.pictures)
      expect(await sharp(`${folder}/out/${file}`).metadata()).toMatchObject({ format: 'png', width: 80, height: 60 });
    const sheet = await sharp(`${folder}/out/${record.sheet}`).metadata();
    expect(sheet.width).toBeGreaterThan(7 * 200);
    const files = await readdir(`${folder}/out`);
    expect(files.filter((name) => /attention.*png$/.test(name))).toHaveLength(2 + record.pictures.length);
    const prediction = JSON.parse(await readFile(`${folder}/out/scene.json`, 'utf8'));
    expect(prediction.files.attention).toBe('out/scene.attention.png');
    expect(prediction.values['lgfa.compensation.deficit']).toBe('out/scene.lgfa.compensation.deficit.npy');
  });

  test('its numbers are those of the arrays', async () => {
    const record = JSON.parse(await readFile(`${folder}/out/scene.attention.json`, 'utf8'));
    const pictureOf = (path: string) => record.pictures.find((one: { path: string }) => one.path === path);
    const stage = await npy('out/scene.lgfa.stage[0].attention.npy');
    expect(stage.shape).toEqual([1, 1, 24 * 16, 12]);
    // The mean over the three words, which follow [CLS].
    const means = Array.from({ length: 24 * 16 }, (_, pixel) =>
      [1, 2, 3].reduce((sum, word) => sum + stage.data[pixel * 12 + word]! / 3, 0),
    );
    expect(pictureOf('lgfa.stage[0].attention').low).toBeCloseTo(Math.min(...means), 6);
    expect(pictureOf('lgfa.stage[0].attention').high).toBeCloseTo(Math.max(...means), 6);

    const deficit = await npy('out/scene.lgfa.compensation.deficit.npy');
    expect(deficit.shape).toEqual([1, 3, 2]);
    const order = deficit.data.map((_, i) => i).sort((a, b) => deficit.data[b]! - deficit.data[a]!);
    const cells = order.slice(0, 4).map((i) => ({ left: 32 * (i % 2), top: 32 * Math.floor(i / 2) }));
    expect(pictureOf('lgfa.compensation.deficit').regions).toMatchObject(cells);

    const decoder = await npy('out/scene.mid.layer[1].read_vision.attention.npy');
    expect(decoder.shape).toEqual([1, 4, 12, 85 * 6]);
    const { maps } = pictureOf('mid.layer[1].read_vision.attention');
    expect(maps).toEqual([24, 12, 6, 3].map((height) => ({ height, width: (height * 2) / 3 })));
  });

  test('the prediction is the same as without, but for rounding', async () => {
    const plain = await micro('-t', 'the white ship', '-o', 'plain');
    expect(plain.code, plain.err).toBe(0);
    const read = async (name: string) => JSON.parse(await readFile(`${folder}/${name}/scene.json`, 'utf8'));
    const [one, other] = [await read('out'), await read('plain')];
    expect(Math.abs(one.area - other.area)).toBeLessThanOrEqual(2);
    expect(one.score).toBeCloseTo(other.score, 4);
    expect(other.files).not.toHaveProperty('attention');
  });
});

describe('what cannot be looked into is refused', () => {
  const predict = (...args: string[]) => crobc(['predict', 'tiny.crob', ...args, '-t', 'ship'], { cwd: folder });
  test.each([
    [['-i', 'scene.png', '--attention'], 1, 'Tiny has no attention to draw'],
    [['-i', 'scene.png', '--expose', 'scor'], 1, 'Tiny has no value scor; near it are score'],
    [['-i', 'scene.png', '--attention', '--tile'], 2, '--attention is for one run of the model: leave --tile out'],
    [['-i', '.', '--expose', 'score'], 2, '--expose is for one image: give --image a file'],
  ] as const)('%j', async (args, code, message) => {
    const ran = await predict(...args);
    expect(ran.err).toContain(message);
    expect(ran.code).toBe(code);
  });
});
