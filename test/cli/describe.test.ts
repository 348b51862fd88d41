import { mkdir, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, type Ran, tiny } from './crobc.ts';

const at = temporaryFolder();
let folder: string;

const layered = `/// Two blocks on vectors.
model Layered {
  block = [Mlp(8, 16 + 8*i) for i in 0..2]
  norm = none
  @path("head.dense") out = Linear(8, 3)
  input x: f32[B, 8]
  let y = block[1](block[0](x))
  output z = out(y)
}
`;

beforeAll(async () => {
  folder = at('work');
  await mkdir(folder);
  await writeFile(`${folder}/tiny.crob`, tiny);
  await writeFile(`${folder}/layered.crob`, layered);
});

const run = (...args: string[]): Promise<Ran> => crobc(args, { cwd: folder });
const crobim = `${process.cwd()}/models/crobim.crob`;

test('a model: its statements, then what can be set, what recipes select, and statics', async () => {
  const { code, out, err } = await run('describe', 'layered.crob');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toBe(`Layered
  input x: f32[B, 8]
  let y = block[1](block[0](x))
  output z = out(y)

Parameters and parts, which --set and variants override:

path                 is                 value                                             in weights files
-------------------  -----------------  ------------------------------------------------  ----------------
block[*]             Mlp, 2 of them                                                       block.{i}
block[*].dim         int                8
block[*].hidden      int                16 / 24
block[*].activation  function           gelu
block[*].fc1         Linear, 2 of them                                                    block.{i}.fc1
block[*].fc2         Linear, 2 of them                                                    block.{i}.fc2
norm                 none
out                  Linear                                                               head.dense
out.inputs           int                8
out.outputs          int                3
out.bias             bool               true
out.init             init               trunc_normal(std = 0.02, mean = 0, a = -2, b = …
out.bias_init        init               zeros

Weights, which recipes select, as they do parts:

path        is         initial                                           in weights files
----------  ---------  ------------------------------------------------  -----------------
out.weight  f32[3, 8]  trunc_normal(std = 0.02, mean = 0, a = -2, b = …  head.dense.weight
out.offset  f32[3]     zeros                                             head.dense.bias

[*] stands for each item of a list; where their values differ, each stands once.
`);
});

test('one part, by its member path or by its path in weights files', async () => {
  const [member, file, star] = await Promise.all([
    run('describe', crobim, 'mid.layer[1]', '-m', 'CroBIM_micro'),
    run('describe', crobim, 'mid.layers.1', '-m', 'CroBIM_micro'),
    run('describe', crobim, 'mid.layer', '-m', 'CroBIM_micro'),
  ]);
  const below = ({ code, out }: Ran) => ({ code, lines: out.split('\n').slice(1) });
  expect(below(file)).toEqual(below(member));
  expect(member.out).toMatch(/^mid\.layer\[1\] of CroBIM_micro\n/);
  expect(member.out).toMatch(/\nmid\.layer\[1\] +CBAM +mid\.layers\.1\n/);
  expect(member.out).toMatch(/\nmid\.layer\[1\]\.width +int +64\n/);
  expect(member.out).not.toContain('mid.layer[1].pixels.dim');
  expect(star.out).toMatch(/\nmid\.layer\[\*\] +CBAM, 2 of them +mid\.layers\.\{i\}\n/);
});

test('--depth looks into more levels, --set shows', async () => {
  const { out } = await run('describe', 'layered.crob', 'out', '--depth', '0');
  expect(out.split('\n').filter((line) => line.startsWith('out'))).toEqual([
    'out of Layered',
    expect.stringMatching(/^out +Linear +head\.dense$/),
  ]);
  const set = await run('describe', crobim, 'text', '-m', 'CroBIM_micro', '--set', 'text.depth=5', '--depth', '2');
  expect(set.out).toMatch(/\ntext\.depth +int +5\n/);
  expect(set.out).toMatch(
    /\ntext\.layers\[\*\]\.query +Linear, 5 of them +text\.encoder\.layer\.\{i\}\.attention\.self\.query\n/,
  );
  expect(set.out).toMatch(
    /\ntext\.word\.weight +f32\[2560, 64\] +normal\(.*\) +text\.embeddings\.word_embeddings\.weight\n/,
  );
  const statics = set.out.slice(set.out.indexOf('Statics, '));
  expect(statics).toMatch(/\ntext\.layers\[\*\]\.scale +0\.25\n/);
});

test('as JSON: every path by itself, at any depth', async () => {
  const { code, out } = await run('describe', 'layered.crob', '--json');
  expect(code).toBe(0);
  const json = JSON.parse(out);
  expect(json).toMatchObject({
    model: 'Layered',
    statements: ['input x: f32[B, 8]', 'let y = block[1](block[0](x))', 'output z = out(y)'],
    recipes: [],
    statics: [],
  });
  expect(json.parameters).toContainEqual({ path: 'block[1].fc2.inputs', type: 'int', value: '24' });
  expect(json.parts).toContainEqual({ path: 'norm', module: null });
  expect(json.parts).toContainEqual({ path: 'out', module: 'Linear', weights: 'head.dense' });
  expect(json.weights).toContainEqual({
    path: 'out.offset',
    weights: 'head.dense.bias',
    role: 'param',
    dtype: 'f32',
    shape: [3],
  });
  expect(json.weights.length).toBe(10);
});

test('recipes, a condition and a weight that no method reads', async () => {
  const { out } = await run('describe', 'tiny.crob', '--depth', '2', '--set', 'patch.bias=false');
  expect(out).toContain('\n  where H % 4 == 0\n');
  expect(out).toContain('\n  recipes, of which train takes the first: small\n');
  expect(out).toContain('\npatch.weight ');
  expect(out).not.toContain('patch.offset');
});

test.each([
  ['mid.lyers', 'crobc: CroBIM_micro has nothing at mid.lyers; did you mean mid.layers?\n'],
  ['zzzzzzzzz', 'crobc: CroBIM_micro has nothing at zzzzzzzzz\n'],
])('a path that leads nowhere: %s', async (path, message) => {
  expect(await run('describe', crobim, path, '-m', 'CroBIM_micro')).toEqual({ code: 1, out: '', err: message });
});

test('a model with errors is not described', async () => {
  const { code, out, err } = await run('describe', 'layered.crob', '--set', 'out.inputs=9');
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(/^error\[CROB/);
});

test('a file of recipes alone names the models that these are for', async () => {
  await writeFile(`${folder}/mine.crob`, 'use models.crobim.{micro}\nrecipe mine extends micro {\n  lr = 0.1x\n}\n');
  const err = 'crobc: mine.crob declares no model; its recipes are for CroBIM_micro of crobc/models/crobim.crob\n';
  for (const command of ['describe', 'summary'])
    expect(await run(command, 'mine.crob')).toEqual({ code: 1, out: '', err });
});
