import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { SafetensorsFile } from '../../runtime/weights/safetensors.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, type Ran, tiny } from './crobc.ts';

const at = temporaryFolder();
let folder: string;
beforeAll(async () => {
  folder = at('work');
  await mkdir(folder);
  await writeFile(`${folder}/tiny.crob`, tiny);
  await writeFile(
    `${folder}/lists.crob`,
    `model Net {
  parts = [Linear(8, 8) for i in 0..2]
  input x: f32[B, 8]
  output y = parts[1](parts[0](x))
}
model Other extends Net { parts[1].bias = false }
`,
  );
});
const build = (...args: string[]): Promise<Ran> => crobc(['build', ...args, '--target', 'torch'], { cwd: folder });

const files = ['Tiny.safetensors', '__init__.py', 'py.typed', 'tiny.py', 'weights.json', 'weights.py'];

test('a package: the module, its weights, and their reader', async () => {
  const { code, out } = await build('tiny.crob', '-o', 'net', '--json');
  expect(code).toBe(0);
  const built = JSON.parse(out) as { model: string; files: { path: string }[] };
  expect(built.model).toBe('Tiny');
  expect((await readdir(`${folder}/net`)).sort()).toEqual(files);
  expect(built.files.map(({ path }) => path).sort()).toEqual(files.map((name) => `net/${name}`));
  expect(await readFile(`${folder}/net/tiny.py`, 'utf8')).toContain('class Tiny(nn.Module):');
  const listed = JSON.parse(await readFile(`${folder}/net/weights.json`, 'utf8')) as Record<
    string,
    { shape: number[] }
  >;
  const weights = await SafetensorsFile.open(`${folder}/net/Tiny.safetensors`);
  expect(Object.fromEntries(Object.entries(listed).map(([name, { shape }]) => [name, shape]))).toEqual(
    Object.fromEntries([...weights.tensors].map(([name, { shape }]) => [name, [...shape]])),
  );
  await weights.close();
});

test('the weights are drawn from the seed, or those of a file', async () => {
  await build('tiny.crob', '-o', 'seeded', '--seed', '7');
  await build('tiny.crob', '-o', 'given', '--weights', 'seeded/Tiny.safetensors');
  const [seeded, given] = await Promise.all(
    ['seeded', 'given'].map((name) => readFile(`${folder}/${name}/Tiny.safetensors`)),
  );
  expect(given?.equals(seeded ?? Buffer.alloc(0))).toBe(true);
  expect((await build('tiny.crob', '-o', 'bare', '--no-weights')).code).toBe(0);
  expect(await readdir(`${folder}/bare`)).not.toContain('Tiny.safetensors');
});

test('what cannot be written is an error, and nothing is written', async () => {
  const { code, err } = await build('lists.crob', '-m', 'Other', '-o', 'other');
  expect(code).toBe(1);
  expect(err).toContain('error[CROB2501]: a PyTorch module cannot change one item of a list of parts');
  await expect(readdir(`${folder}/other`)).rejects.toThrow('ENOENT');
});

test.each([
  [['--dtype', 'f16'], '--dtype is for --target onnx'],
  [['--set', 'H=32'], '--set H: a PyTorch module has the sizes of its arguments'],
  [['--expose', 'list'], '--expose is for --target onnx'],
  [['--recompute', 'patch'], '--recompute is for --target tfjs'],
])('%j is refused', async (args, message) => {
  const { code, err } = await build('tiny.crob', '-o', 'none', ...args);
  expect(code).toBe(2);
  expect(err).toContain(message);
});
