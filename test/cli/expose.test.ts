// slow: builds models

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, tiny } from './crobc.ts';

const at = temporaryFolder();
let folder: string;

beforeAll(async () => {
  folder = at('work');
  await mkdir(folder);
  await writeFile(`${folder}/tiny.crob`, tiny);
});

const build = (...args: string[]) => crobc(['build', 'tiny.crob', ...args], { cwd: folder });

describe('build --expose', () => {
  test('gives values as further outputs, in the ONNX file, the manifest and the client', async () => {
    const { code, out, err } = await build('--expose', 'patch', '--expose', 'w*s', '--expose', 'score', '-o', 'out');
    expect(code, err).toBe(0);
    expect(out).toContain(
      '\n  output patch: f32[B, 8, H/4, W/4]\n  output words: f32[B, T, 8]\n  output score: f32[B, H/4, W/4]\n',
    );
    const manifest = JSON.parse(await readFile(`${folder}/out/Tiny.manifest.json`, 'utf8'));
    expect(manifest.outputs.map(({ name }: { name: string }) => name)).toEqual(['logits', 'patch', 'words', 'score']);
    expect(manifest.outputs[1]).toMatchObject({ dtype: 'f32', shape: ['B', '8', 'H/4', 'W/4'] });
    expect(await readFile(`${folder}/out/Tiny.ts`, 'utf8')).toContain("readonly score: ort.TypedTensor<'float32'>");

    const session = await InferenceSession.create(`${folder}/out/Tiny.onnx`);
    expect(session.outputNames).toEqual(['logits', 'patch', 'words', 'score']);
    const image = Float32Array.from({ length: 3 * 8 * 12 }, (_, i) => Math.sin(i));
    const found = await session.run({
      image: new Tensor('float32', image, [1, 3, 8, 12]),
      tokens: new Tensor('int64', BigInt64Array.of(2n, 7n, 90n), [1, 3]),
      mask: new Tensor('bool', Uint8Array.of(1, 1, 0), [1, 3]),
    });
    await session.release();
    const data = (name: string) => found[name]!.data as Float32Array;
    const [words, patch, score] = [data('words'), data('patch'), data('score')];
    expect(found.patch!.dims).toEqual([1, 8, 2, 3]);
    // The third word is padding.
    expect(words.slice(16).every((share) => Math.abs(share) === 0)).toBe(true);
    for (let pixel = 0; pixel < 6; pixel++) {
      let sum = 0;
      for (let d = 0; d < 8; d++) sum += patch[d * 6 + pixel]! * (words[d]! + words[8 + d]!);
      expect(score[pixel]).toBeCloseTo(sum, 5);
    }
  });

  test('without it, the files are as they were, and with it, the weights are the same', async () => {
    await build('-o', 'plain');
    await build('--expose', 'score', '-o', 'exposed');
    const hashes = async (out: string) =>
      JSON.parse(await readFile(`${folder}/${out}/Tiny.manifest.json`, 'utf8')).hashes as Record<string, string>;
    const [plain, exposed] = [await hashes('plain'), await hashes('exposed')];
    expect(exposed.weights).toBe(plain.weights);
    expect(exposed.graph).not.toBe(plain.graph);
    expect(exposed.build).not.toBe(plain.build);
  });

  test('list prints what there is, and writes nothing', async () => {
    const { code, out } = await build('--expose', 'list', '-o', 'out').then(() => build('--expose', 'list'));
    expect(code).toBe(0);
    expect(out).toMatch(/^value +type +named at *\n/);
    expect(out).toMatch(/\nscore +f32\[B, H\/4, W\/4\] +tiny\.crob:11 *\n/);
    expect(out).toMatch(/\npatch +f32\[B, 8, H\/4, W\/4\] +std\/conv\.crob:\d+ *\n/);
    const listed = await build('--expose', 'list', '--expose', 'score', '--json', '--set', 'H=16,W=32');
    expect(JSON.parse(listed.out)).toEqual({
      model: 'Tiny',
      values: [{ path: 'score', type: 'f32[B, 4, 8]', place: 'tiny.crob:11' }],
    });
    expect(await readdir(folder)).not.toContain('list');
  });

  test.each([
    [['--expose', 'scores'], 1, 'Tiny has no value scores; near it are score; --expose list prints all 10'],
    [['--expose', 'logits'], 1, 'Tiny has no value logits'],
    [['--expose', 'score', '--target', 'tfjs'], 2, '--expose is for --target onnx'],
    [['--expose', 'score', '--print-after', 'all'], 2, 'leave --expose out'],
    [['--expose', 'list', '-o', 'there'], 2, '--out is for what is built, and --expose list writes nothing'],
  ] as const)('%j is refused', async (args, code, message) => {
    const ran = await build(...args);
    expect(ran.err).toContain(message);
    expect(ran.code).toBe(code);
  });
});
