// slow: trains in TensorFlow.js

import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { SafetensorsFile } from '../../runtime/weights/safetensors.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, type Ran, tiny } from './crobc.ts';
import { writeDataset } from './training-data.ts';

const at = temporaryFolder();
let folder: string;
beforeAll(async () => {
  folder = at('work');
  await mkdir(folder);
  await writeFile(`${folder}/plain.crob`, tiny.slice(0, tiny.indexOf('recipe')));
  await writeFile(`${folder}/tiny.crob`, tiny);
});
const build = (...args: string[]): Promise<Ran> => crobc(['build', ...args, '--target', 'tfjs'], { cwd: folder });

test('a model with a recipe: both programs at its sizes, and weights', async () => {
  const { code, out } = await build('tiny.crob', '--set', 'B=3', '-o', 'both', '--json');
  expect(code).toBe(0);
  const built = JSON.parse(out) as { model: string; files: { path: string; bytes: number }[] };
  expect(built.model).toBe('Tiny');
  expect(built.files.map(({ path }) => path)).toEqual([
    'both/Tiny.tfjs.ts',
    'both/Tiny.train.tfjs.ts',
    'both/Tiny.safetensors',
  ]);
  expect((await readdir(`${folder}/both`)).sort()).toEqual(['Tiny.safetensors', 'Tiny.tfjs.ts', 'Tiny.train.tfjs.ts']);
  expect(await readFile(`${folder}/both/Tiny.tfjs.ts`, 'utf8')).toContain('[3, 3, 32, 32]');
  expect(await readFile(`${folder}/both/Tiny.train.tfjs.ts`, 'utf8')).toContain("replace(state, 'weight:patch.weight'");
  const weights = await SafetensorsFile.open(`${folder}/both/Tiny.safetensors`);
  expect(weights.tensors.get('patch.weight')?.shape).toEqual([8, 3, 4, 4]);
  await weights.close();
  const again = await build('tiny.crob', '--set', 'B=3', '-o', 'again', '--weights', 'both/Tiny.safetensors', '--json');
  expect((JSON.parse(again.out) as typeof built).files.map(({ path: _, ...file }) => file)).toEqual(
    built.files.map(({ path: _, ...file }) => file),
  );
});

test('the training program is the one that training runs, with modules recomputed too', async () => {
  await writeDataset(`${folder}/data`);
  const module = 'module Twice() { forward(x: f32[N, C, H, W]) -> f32[N, C, H, W] { return sigmoid(sigmoid(x)) } }\n';
  const source = tiny.replace('patch = ', 'twice = Twice()\n  patch = ').replace('patch(image)', 'twice(patch(image))');
  await writeFile(`${folder}/twice.crob`, module + source);
  const sizes = ['--set', 'B=2,H=16,W=16,T=10'];
  const again = ['--recompute', 'patch', '--recompute', 'twice'];
  const program = async (out: string) => readFile(`${folder}/${out}/Tiny.train.tfjs.ts`, 'utf8');
  for (const [out, more] of [
    ['kept', []],
    ['written', again],
  ] as const)
    expect(await build('twice.crob', ...sizes, ...more, '--no-weights', '-o', out)).toMatchObject({ code: 0 });
  const train = ['train', 'twice.crob', '--backend', 'tfjs', '--data', 'data', '--steps', '1', '-o', 'ran'];
  expect(await crobc([...train, ...sizes, ...again], { cwd: folder })).toMatchObject({ code: 0 });
  expect(await program('written')).toBe(await program('ran'));
  expect(await program('written')).not.toBe(await program('kept'));
});

test('a model without a recipe: one program, at the sizes that are set', async () => {
  const refused = await build('plain.crob', '-o', 'none');
  expect(refused.code).toBe(1);
  expect(refused.err).toBe(
    'crobc: sizes in a TensorFlow.js program are numbers: give those of H, W, T (--set H=…,W=…,T=…)\n',
  );
  const { code, err } = await build('plain.crob', '--set', 'H=8,W=8,T=4', '--no-weights', '-o', 'one');
  expect(code).toBe(0);
  expect(err).toBe('note: no recipe trains Tiny: there is no training program\n');
  expect(await readdir(`${folder}/one`)).toEqual(['Tiny.tfjs.ts']);
});

test('what the target has not', async () => {
  expect((await build('tiny.crob', '--dtype', 'f16')).err).toBe(
    'error: TensorFlow.js has no half precision: leave --dtype at f32\n',
  );
  expect((await build('tiny.crob', '--print-after', 'all')).err).toBe(
    'error: --print-after and --explain are for --target onnx; --graph step shows a training step\n',
  );
  expect((await build('plain.crob', '--set', 'H=8,W=8,T=4', '--recompute', 'patch')).err).toBe(
    'crobc: --recompute is for training, and no recipe trains Tiny\n',
  );
  expect((await build('tiny.crob', '--recompute', 'patsh')).err).toBe(
    'crobc: Tiny has no module patsh; "crobc summary" lists them\n',
  );
  expect((await crobc(['build', 'tiny.crob', '--recompute', 'patch'], { cwd: folder })).err).toBe(
    'error: --recompute is for --target tfjs, which writes the training program, and for crobc train\n',
  );
});

test('the tests on tfjs-node end in a line where there is none', () => {
  const env = { ...process.env, CROBC_TFJS: folder, CROBC_TFJS_DEVICE: 'tfjs-node' };
  const { status, stderr, stdout } = spawnSync(process.execPath, ['scripts/test-tfjs-node.mjs'], {
    env,
    encoding: 'utf8',
  });
  expect({ status, stderr, stdout }).toEqual({
    status: 1,
    stderr: 'CROBC_TFJS_DEVICE asks for tfjs-node, which is not installed; docs/tfjs.md says how to install it\n',
    stdout: '',
  });
});
