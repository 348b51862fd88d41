import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { dataFolder } from '../runtime/data/data-folder.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';

const at = temporaryFolder();
const program = join(import.meta.dirname, '../../dist/bin/crobc.cjs');
const names = Array.from({ length: 8 }, (_, i) => `${i}.png`);

const source = (model: string) => `model ${model} {
  kernel = Conv2d(3, 1, 3, padding = 1)
  input image: f32[B, 3, H, W]
  output logits: f32[B, 1, H, W] = kernel(image)
}

recipe quick for ${model} at B = 2, H = 8, W = 8 {
  input target: f32[B, 1, H, W]
  term ce = cross_entropy(logits, target)
  optimizer = SGD(lr = 1e-2)
  steps = 3
}
`;

beforeAll(async () => {
  await dataFolder(at('data'), names);
  for (const model of ['One', 'Two']) await writeFile(at(`${model}.crob`), source(model));
});

function crobc(...args: readonly string[]): Promise<{ readonly code: unknown; readonly err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { cwd: at('.') }, (error, _, err) =>
      resolve({ code: error?.code ?? 0, err }),
    );
  });
}

const precisionIn = async (report: string) => JSON.parse(await readFile(at(report), 'utf8')).tf32 as unknown;

test.each([
  ['f32', false],
  ['tf32', true],
])('models that were trained in %s are compared with TF32: %j', async (precision, tf32) => {
  const options = ['--split', 'train', '--seeds', '1', '--set', `recipe.precision=${precision}`, '-o', precision];
  const { code, err } = await crobc('compare', 'One.crob', 'Two.crob', '--data', 'data', ...options);
  expect(err).toContain('runs on CUDA');
  expect(code).toBe(0);
  for (const model of ['One', 'Two'])
    expect(await precisionIn(`${precision}/${model}/seed-0/${model}.train.json`)).toBe(tf32);
});

test.each([
  ['auto', [], true],
  ['auto', ['--no-tf32'], false],
  ['cpu', [], false],
])('an evaluation on the device %s with %j is in TF32: %j', async (device, options, tf32) => {
  const out = `eval-${device}-${tf32}`;
  const common = ['--data', 'data', '--split', 'train', '--pictures', '0', '--device', device, '-o', out];
  expect(await crobc('eval', 'One.crob', ...common, ...options)).toMatchObject({ code: 0 });
  expect(await precisionIn(`${out}/One.train.json`)).toBe(tf32);
});
