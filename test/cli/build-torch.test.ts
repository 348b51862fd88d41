import { readdirSync } from 'node:fs';
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
const program = ['recipe.json', 'recipe.py', 'train.py', 'training.json'];
const modules = ['aerial.txt', ...readdirSync('runtime/torch/training').filter((name) => name.endsWith('.py'))];

test('a package: the module, its weights, and their reader', async () => {
  const { code, out } = await build('tiny.crob', '-o', 'net', '--json');
  expect(code).toBe(0);
  const built = JSON.parse(out) as { model: string; recipe: string; files: { path: string }[] };
  expect([built.model, built.recipe]).toEqual(['Tiny', 'small']);
  const whole = [...files, ...program];
  expect((await readdir(`${folder}/net`)).sort()).toEqual([...whole, 'training'].sort());
  expect((await readdir(`${folder}/net/training`)).sort()).toEqual(modules.sort());
  expect(built.files.map(({ path }) => path).sort()).toEqual(
    [...whole, ...modules.map((name) => `training/${name}`)].map((name) => `net/${name}`).sort(),
  );
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

test('without a recipe there is no training program, and one of an earlier build is removed', async () => {
  await build('tiny.crob', '-o', 'again');
  const { code, err } = await build('lists.crob', '-m', 'Net', '-o', 'again');
  expect(code).toBe(0);
  expect(err).toContain('note: there is no training program: no recipe trains Net');
  const left = await readdir(`${folder}/again`);
  expect(left.filter((name) => program.includes(name) || name === 'training')).toEqual([]);
  const sized = await build('lists.crob', '-m', 'Net', '-o', 'none', '--set', 'B=2');
  expect([sized.code, sized.err]).toEqual([2, expect.stringContaining('--set B: a PyTorch module has the sizes')]);
});

test('what the data do not have is a note, and an error if the recipe is named', async () => {
  await writeFile(
    `${folder}/other.crob`,
    `${tiny}recipe weighted for Tiny extends small {
  input weight: f32[B, 1, H, W]
  term ce = mean(weight * logits, "b c h w ->")
}
`,
  );
  const named = await build('other.crob', '-o', 'named', '--recipe', 'weighted');
  expect([named.code, named.err]).toEqual([1, expect.stringContaining('takes weight: f32[')]);
  await expect(readdir(`${folder}/named`)).rejects.toThrow('ENOENT');
});

test('--set changes the recipe, whose sizes are those of the training', async () => {
  const { code } = await build('tiny.crob', '-o', 'set', '--set', 'B=3,recipe.lr=0.5');
  expect(code).toBe(0);
  const text = await readFile(`${folder}/set/recipe.py`, 'utf8');
  expect(text).toContain('"B": 3');
  expect(text).toContain('lr=0.5');
});

test.each([
  [['--dtype', 'f16'], '--dtype is for --target onnx'],
  [['--expose', 'list'], '--expose is for --target onnx'],
  [['--recompute', 'patch'], '--recompute is for --target tfjs'],
])('%j is refused', async (args, message) => {
  const { code, err } = await build('tiny.crob', '-o', 'none', ...args);
  expect(code).toBe(2);
  expect(err).toContain(message);
});
