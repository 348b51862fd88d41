// slow: builds models, many times

import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { read } from '../../compiler/graphs/read.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, crobcProcess, type Ran, type RunOptions, tiny, wide, wrong } from './crobc.ts';
import { type Entry, safetensorsBytes, tinyWeights } from './safetensors-bytes.ts';

const at = temporaryFolder();
let folder: string;

beforeAll(async () => {
  folder = at('work');
  await mkdir(folder);
  await writeFile(`${folder}/tiny.crob`, tiny);
  await writeFile(`${folder}/wide.crob`, wide);
  await writeFile(`${folder}/wrong.crob`, wrong);
  await writeFile(`${folder}/step.crob`, stepped);
});

/** A product, and a sum with what is repeated first. */
const stepped = `model Step {
  head = Conv2d(3, 1, 1)
  input image: f32[B, 3, 8, 8]
  output logits = head(image) + repeat(mean(image, "b c h w -> b"), "b -> b c h w", c = 1, h = 8, w = 8)
}
recipe plain for Step at B = 2 {
  input target: f32[B, 1, 8, 8]
  term error = cross_entropy(logits, target)
  optimizer = SGD(lr = 0.1)
  steps = 1
}
`;

const build = (args: readonly string[], options: RunOptions = {}): Promise<Ran> =>
  crobc(['build', ...args], { cwd: folder, ...options });

async function hashes(out: string): Promise<Record<string, string>> {
  const names = (await readdir(out)).sort();
  const entries = names.map(async (name) => {
    const bytes = await readFile(`${out}/${name}`);
    return [name, createHash('sha256').update(bytes).digest('hex')] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

const manifestOf = async (out: string, model = 'Tiny') =>
  JSON.parse(await readFile(`${folder}/${out}/${model}.manifest.json`, 'utf8'));

/** Logits of a built Tiny for a white 8×8 image and three words. */
async function logits(out: string): Promise<Tensor> {
  const session = await InferenceSession.create(`${folder}/${out}/Tiny.onnx`);
  const results = await session.run({
    image: new Tensor('float32', new Float32Array(192).fill(1), [1, 3, 8, 8]),
    tokens: new Tensor('int64', new BigInt64Array(4), [1, 4]),
    mask: new Tensor('bool', Uint8Array.of(1, 1, 1, 0), [1, 4]),
  });
  await session.release();
  return results.logits as Tensor;
}

describe('CroBIM_micro', () => {
  const model = `${process.cwd()}/models/crobim.crob`;
  let ran: Ran;
  let again: Ran;
  beforeAll(async () => {
    [ran, again] = (await Promise.all(
      ['one', 'two'].map((out) => build([model, '-m', 'CroBIM_micro', '--set', 'B=1', '-o', out])),
    )) as [Ran, Ran];
  });

  test('writes model, weights, manifest and client, and says so', async () => {
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(/^CroBIM_micro: 1,\d\d\d,\d\d\d parameters, [\d,]+ nodes, [\d.]+ s\n/);
    const files = ['CroBIM_micro.onnx', 'CroBIM_micro.onnx.data', 'CroBIM_micro.manifest.json', 'CroBIM_micro.ts'];
    for (const file of files)
      expect(ran.out).toMatch(new RegExp(`\\n {2}one/${file.replaceAll('.', '\\.')}  [\\d.]+ [KM]iB\\n`));
    expect(Object.keys(await hashes(`${folder}/one`))).toEqual([...files].sort());
    // A slow machine is shown how far it is.
    const note = 'note: weights are initial ones, drawn from seed 0; give trained ones with --weights\n';
    expect(ran.err.replace(/^weights: .*\n/gm, '')).toBe(note);
  });

  test('is the same, byte for byte, when it is built again', async () => {
    expect(again.code).toBe(0);
    expect(await hashes(`${folder}/two`)).toEqual(await hashes(`${folder}/one`));
  });

  test('its manifest holds what was bound, the guards, hashes of the files, and the readings of the paper', async () => {
    const manifest = await manifestOf('one', 'CroBIM_micro');
    expect(manifest.dims).toEqual({ B: 1 });
    expect(manifest.inputs[0]).toMatchObject({ name: 'image', dtype: 'f32', shape: ['1', '3', 'H', 'W'] });
    expect(manifest.guards).toContainEqual({
      condition: 'H % 32 == 0',
      left: 'H',
      relation: '%',
      right: '32',
      remainder: 0,
      source: 'H % 32 == 0',
    });
    expect(manifest.guards).toContainEqual({
      condition: 'T <= 64',
      left: 'T',
      relation: '<=',
      right: '64',
      source: 'T <= text.positions',
    });
    expect(manifest.weights).toEqual({ kind: 'initial', seed: 0 });
    expect(manifest.choices.lgfa).toMatchObject({ score_axis: '"word"', topk: '4' });
    const found = await hashes(`${folder}/one`);
    const listed = manifest.files.map((file: { name: string; sha256: string }) => [file.name, file.sha256]);
    expect(listed.length).toBe(3);
    for (const [name, sha256] of listed) expect(found[name]).toBe(sha256);
  });

  test('its choices are by the paths of variants, equal parts once, and go down to readings deep inside', async () => {
    const { choices } = await manifestOf('one', 'CroBIM_micro');
    expect(choices['lgfa.stage[0]']).toMatchObject({
      norm: 'InstanceNorm()',
      score: 'masked_mean',
      gate: 'Reweight()',
    });
    const deform = { joint: 'true', offsets: 'ring(heads = 4, levels = 4, points = 2)' };
    expect(choices['mid.layer[*].pixels.deform']).toMatchObject(deform);
    expect(choices).not.toHaveProperty(['lgfa.stage[0].query']);
    const set = ['mid.layer[1].pixels.deform.joint=false', 'lgfa.stage[*].query.bias=false'];
    const args = set.flatMap((one) => ['--set', one]);
    expect((await build([model, '-m', 'CroBIM_micro', '--no-weights', ...args, '-o', 'deep'])).code).toBe(0);
    const changed = (await manifestOf('deep', 'CroBIM_micro')).choices;
    expect(changed['mid.layer[0].pixels.deform']).toMatchObject({ joint: 'true' });
    expect(changed['mid.layer[1].pixels.deform']).toMatchObject({ joint: 'false' });
    expect(changed['lgfa.stage[0].query']).toMatchObject({ bias: 'false' });
  });
});

describe('settings', () => {
  let runs: Record<string, Ran>;
  beforeAll(async () => {
    const given: Record<string, readonly string[]> = {
      dims: ['--set', 'B=1,H=8', '--set', 'W=8,T=4'],
      override: ['--set', 'patch.bias=false'],
      f16: ['--dtype', 'f16'],
      seed: ['--seed', '7'],
      bare: ['--no-weights'],
      json: ['--json'],
    };
    runs = Object.fromEntries(
      await Promise.all(
        Object.entries(given).map(
          async ([name, args]) => [name, await build([...args, 'tiny.crob', '-o', name])] as const,
        ),
      ),
    );
  });

  test('all of these build', () => {
    const failed = Object.entries(runs).filter(([, { code }]) => code !== 0);
    expect(failed).toEqual([]);
  });

  test('--set binds dims', async () => {
    const { inputs, dims } = await manifestOf('dims');
    expect(dims).toEqual({ B: 1, H: 8, W: 8, T: 4 });
    expect(inputs.map((input: { shape: string[] }) => input.shape)).toEqual([
      ['1', '3', '8', '8'],
      ['1', '4'],
      ['1', '4'],
    ]);
    expect((await logits('dims')).dims).toEqual([1, 1, 8, 8]);
  });

  test('--set overrides a parameter', async () => {
    expect(runs.override!.out).toMatch(/^Tiny: 20,864 parameters/);
    expect((await manifestOf('override')).choices.patch.bias).toBe('false');
  });

  test('--dtype bf16 stores products in bfloat16, and what runs on the CPU refuses it before it loads', async () => {
    const built = await build(['tiny.crob', '--dtype', 'bf16', '-o', 'bf16']);
    expect(built).toMatchObject({ code: 0 });
    const words = {
      code: 1,
      out: '',
      err: expect.stringContaining('a model in bf16 runs on CUDA alone, and the device is cpu'),
    };
    expect(await crobc(['serve', 'bf16', '--device', 'cpu'], { cwd: folder })).toMatchObject(words);
    for (const target of ['cpu', 'webgpu'])
      expect(await build(['tiny.crob', '--for', target, '--dtype', 'bf16', '-o', 'other'])).toMatchObject({
        code: 2,
        err: expect.stringContaining(`--dtype bf16 is not for --for ${target}: onnxruntime has no kernels`),
      });
    expect(await build(['tiny.crob', '--target', 'triton', '--dtype', 'bf16', '-o', 'triton'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--dtype bf16 is not for --target triton'),
    });
  });

  test('--dtype f16 stores half as much and gives nearly the same', async () => {
    expect((await manifestOf('f16')).dtype).toBe('f16');
    const [half, single] = await Promise.all(
      ['f16', 'json'].map(async (out) => {
        const { size } = await stat(`${folder}/${out}/Tiny.onnx`);
        return { size, data: (await logits(out)).data as Float32Array };
      }),
    );
    expect(half!.size).toBeLessThan(0.6 * single!.size);
    const largest = Math.max(...single!.data.map(Math.abs));
    expect(largest).toBeGreaterThan(0);
    const worst = Math.max(...half!.data.map((x, i) => Math.abs(x - single!.data[i]!)));
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThan(0.01 * largest);
  });

  test('--seed draws other weights', async () => {
    const [seven, zero] = await Promise.all(['seed', 'json'].map((out) => logits(out)));
    expect(seven!.data).not.toEqual(zero!.data);
  });

  test('--no-weights writes the graph alone, and says that it does not run like that', async () => {
    expect(runs.bare!.err).toBe('note: Tiny.onnx names weights that were not written; it runs when they are there\n');
    expect((await readFile(`${folder}/bare/Tiny.onnx`)).length).toBeLessThan(20_000);
    expect((await manifestOf('bare')).weights).toEqual({ kind: 'none' });
    await expect(logits('bare')).rejects.toThrow();
  });

  test('--json prints one object', async () => {
    const built = JSON.parse(runs.json!.out);
    expect(built).toMatchObject({ model: 'Tiny', parameters: 20_872, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const found = await hashes(`${folder}/json`);
    for (const { path, sha256 } of built.files) expect(found[path.replace('json/', '')]).toBe(sha256);
  });

  test('--print-after prints graphs, and a list of the passes', async () => {
    const looked = at('looked');
    await mkdir(looked);
    await writeFile(`${looked}/tiny.crob`, tiny);
    const printed = (pass: string, ...args: string[]) =>
      build(['tiny.crob', '--print-after', pass, ...args], { cwd: looked });
    const [list, one, half, all] = await Promise.all([
      printed('list'),
      printed('simplify'),
      printed('half', '--dtype', 'f16'),
      printed('all', '--dtype', 'f16'),
    ]);
    expect(list).toMatchObject({ code: 0, out: expect.stringMatching(/^dead-code\n(.+\n)*round-constants\nhalf\n$/) });
    expect(one).toMatchObject({ code: 0, out: expect.stringContaining('// after simplify\n') });
    expect(half).toMatchObject({ code: 0, out: expect.stringMatching(/^\/\/ after half\n(.*\n)*.* conv2d .*: f16\[/) });
    expect(all!.out.match(/^\/\/ after .*/gm)).toEqual([
      ...all!.out.match(/^\/\/ after (?!half|round).*/gm)!,
      '// after round-constants',
      '// after half',
    ]);
    expect(await readdir(looked), 'nothing is built').toEqual(['tiny.crob']);
  });

  test('--print-after shows the training step of the recipe, too', async () => {
    const printed = (pass: string) => build(['step.crob', '--graph', 'step', '--print-after', pass]);
    const [list, gradients, step] = await Promise.all(['list', 'differentiate', 'step'].map(printed));
    expect(list).toMatchObject({
      code: 0,
      out: expect.stringMatching(/\nround-constants\nhalf\ndifferentiate\nstep\n$/),
    });
    expect(gradients).toMatchObject({ code: 0, out: expect.stringMatching(/^output "d:head\.weight" = /m) });
    expect(step).toMatchObject({ code: 0, out: expect.stringMatching(/^output "next:weight:head\.weight" = /m) });
    const half = ['--set', 'recipe.precision=f16'];
    const [none, mixed] = await Promise.all(
      [[], half].map((set) => build(['step.crob', '--graph', 'step', '--print-after', 'half', ...set])),
    );
    expect(none).toMatchObject({ code: 2, err: expect.stringContaining('only with a precision of bf16 or f16') });
    expect(mixed).toMatchObject({ code: 0, out: expect.stringMatching(/ = conv2d .* : f16\[/) });
    expect(read(gradients!.out.replace(/^.*\n/, '')).outputs.map(({ name }) => name)).toContain('d:head.bias');
  });

  test('--explain says where a rule fired, and why it left the rest', async () => {
    const explain = (...args: string[]) => build(['step.crob', '--explain', ...args]);
    const [list, text, json, step, none, both] = await Promise.all([
      explain('list'),
      explain('repeat-late'),
      explain('repeat-late', '--json'),
      explain('repeat-late', '--graph', 'step', '--json'),
      explain('repeat-lat'),
      explain('repeat-late', '--print-after', 'all'),
    ]);
    expect(list!.out).toContain('\nrepeat-late  (simplify, cancel-views)\n');
    expect(text!.out.replace(/(std\/conv\.crob):\d+/g, '$1:…').split('\n')).toEqual([
      'repeat-late (simplify, cancel-views): 1 node replaced, 4 looked at and left',
      '  pattern   <one of 32 operators>(some broadcast(_) or full|constant(…)), where the constant is one number along axes',
      '  replaced  add  step.crob:4',
      '  left      4: needs broadcast(_) or full|constant(…) as an operand; has conv2d and reshape (1), add and mean (1), reshape and mean (1) and others',
      '            first add  in head  std/conv.crob:…, has conv2d  in head  std/conv.crob:…',
      '',
    ]);
    const found = JSON.parse(json!.out);
    expect(found).toMatchObject({ rule: 'repeat-late', fired: [{ op: 'add', module: '', place: 'step.crob:4' }] });
    expect(found.missed).toHaveLength(1);
    // The losses and gradients are looked at as well.
    expect(JSON.parse(step!.out).missed[0].nodes.length).toBeGreaterThan(found.missed[0].nodes.length);
    expect(none).toMatchObject({ code: 2, err: 'error: there is no rule repeat-lat; did you mean repeat-late?\n' });
    expect(both).toMatchObject({ code: 2, err: expect.stringContaining('give one of them') });
  });

  test.each<[readonly string[], string]>([
    [['--graph', 'step'], '--graph goes with --print-after or --explain'],
    [['--print-after', 'all', '-o', 'never'], '--out is for what is built'],
    [['--explain', 'repeat-late', '--no-weights'], '--weights is for what is built'],
    [['--print-after', 'step', '--graph', 'step', '--dtype', 'f16'], 'the precision of its recipe'],
    [['--explain', 'repeat-late', '--recompute', 'head'], 'add --graph step'],
  ])('%j: an option without effect is a mistake of the command line', async (args, message) => {
    expect(await build(['step.crob', ...args])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining(message),
    });
  });

  test('a pass that there is not, or not here, is a mistake of the command line', async () => {
    const [misspelt, other, half] = await Promise.all(
      ['simplfy', 'everything', 'half'].map((pass) => build(['tiny.crob', '--print-after', pass])),
    );
    expect(misspelt).toEqual({ code: 2, out: '', err: 'error: there is no pass simplfy; did you mean simplify?\n' });
    expect(other).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^error: there is no pass everything; there are /),
    });
    expect(half).toEqual({ code: 2, out: '', err: 'error: the pass half runs only with --dtype f16 or bf16\n' });
  });
});

describe('what cannot be built', () => {
  test.concurrent.each<[string, readonly string[], RegExp]>([
    ['a guard', ['--set', 'H=30'], /Tiny needs H % 4 == 0/],
    ['a dim that there is not', ['--set', 'Q=30'], /there is no dim `Q`.*[\s\S]*the dims of Tiny are B, H, W, T/],
    [
      'a part that there is not',
      ['--set', 'pacth.bias=false'],
      /no parameter or part `pacth`[\s\S]*did you mean `patch`/,
    ],
    ['a value of the wrong type', ['--set', 'patch.bias=3'], /CROB2201/],
    ['no expression', ['--set', 'patch.bias=)'], /--set:1:12 {3}patch\.bias=\)/],
    ['no such model', ['-m', 'Tinny'], /^crobc: tiny\.crob has no model Tinny; did you mean Tiny\?\n$/],
  ])('%s', async (_, args, err) => {
    const ran = await build(['tiny.crob', ...args, '-o', 'never']);
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toMatch(err);
    expect(await readdir(folder)).not.toContain('never');
  });

  test.concurrent.each<[string, readonly string[], string]>([
    ['a dim that is no number', ['--set', 'H=tall'], '--set H=tall: a dim is a whole number from 1 to 2147483647'],
    [
      'a dim too large',
      ['--set', 'B=99999999999'],
      '--set B=99999999999: a dim is a whole number from 1 to 2147483647',
    ],
    ['a dim twice', ['--set', 'H=32,W=8,H=64'], '--set H=64: H is 32 already'],
    ['no value', ['--set', 'patch.bias'], '--set patch.bias: write name=value'],
  ])('%s is a mistake of the command line', async (_, args, err) => {
    const ran = await build(['tiny.crob', ...args, '-o', 'never']);
    expect(ran).toEqual({ code: 2, out: '', err: `error: ${err}\n` });
  });

  test('sizes and weights that nothing can hold are named, and no memory is taken', async () => {
    const [axis, elements, weight] = await Promise.all([
      build(['tiny.crob', '--set', 'B=1,H=800000,W=800000', '-o', 'never']),
      build(['tiny.crob', '--set', 'B=2000000,H=2000000,W=2000000', '-o', 'never']),
      writeFile(`${folder}/vast.crob`, wide.replaceAll('600', '200000')).then(() =>
        build(['vast.crob', '-o', 'never']),
      ),
    ]);
    expect(axis).toEqual({
      code: 1,
      out: '',
      err: 'crobc: Tiny is too large at B = 1, H = 800000, W = 800000: it has an axis of 40,000,000,000 entries, and an axis has 2,147,483,647 at most\n',
    });
    expect(elements).toEqual({
      code: 1,
      out: '',
      err: 'crobc: Tiny is too large at B = 2000000, H = 2000000, W = 2000000: its sizes lead to numbers beyond 2^53, which are not exact\n',
    });
    expect(weight).toEqual({
      code: 1,
      out: '',
      err: 'crobc: the weight layer.weight is f32[200000, 200000], 149.0 GiB: one weight has less than 2 GiB\n',
    });
    expect(await readdir(folder)).not.toContain('never');
  });

  test('a file with errors, or none', async () => {
    const [bad, none, isFolder] = await Promise.all(
      ['wrong.crob', 'none.crob', '.'].map((file) => build([file, '-o', 'never'])),
    );
    expect(bad).toMatchObject({ code: 1, out: '', err: expect.stringContaining('did you mean `stride`?') });
    expect(none).toEqual({ code: 1, out: '', err: 'crobc: cannot read none.crob: no such file or folder\n' });
    expect(isFolder).toEqual({
      code: 1,
      out: '',
      err: 'crobc: . is a folder, neither a .crob file nor the folder of a training: it has no best.safetensors or last.safetensors\n',
    });
    expect(await readdir(folder)).not.toContain('never');
  });
});

describe('the same source', () => {
  test('gives the same bytes by whatever path and from whatever folder', async () => {
    await mkdir(`${folder}/project/parts`, { recursive: true });
    await mkdir(`${folder}/elsewhere`);
    await writeFile(
      `${folder}/project/main.crob`,
      'use parts.twice.{Twice}\n\nmodel Main {\n  part = Twice()\n  input x: f32[B, 4]\n  output y = part(x)\n}\n',
    );
    await writeFile(
      `${folder}/project/parts/twice.crob`,
      'module Twice {\n  fc = Linear(4, 4)\n  forward(x: f32[B, 4]) -> f32[B, 4] { return fc(x) + x }\n}\n',
    );
    await writeFile(
      `${folder}/project/own.safetensors`,
      safetensorsBytes({
        'part.fc.weight': { shape: [4, 4], values: new Float32Array(16).fill(1) },
        'part.fc.bias': { shape: [4], values: new Float32Array(4) },
      }),
    );
    const own = `${folder}/project`;
    const ran = await Promise.all([
      build(['main.crob', '-w', 'own.safetensors', '-o', 'out-own'], { cwd: own }),
      build(['project/main.crob', '-w', 'project/own.safetensors', '-o', 'out-above']),
      build([`${own}/main.crob`, '-w', `${own}/own.safetensors`, '-o', `${folder}/out-far`], { cwd: '/' }),
      build(['../project/main.crob', '-w', '../project/own.safetensors', '-o', 'out'], { cwd: `${folder}/elsewhere` }),
    ]);
    expect(ran.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    const [first, ...others] = await Promise.all(
      [`${own}/out-own`, `${folder}/out-above`, `${folder}/out-far`, `${folder}/elsewhere/out`].map(hashes),
    );
    for (const other of others) expect(other).toEqual(first);
    const text = await readFile(`${folder}/out-above/Main.onnx`, 'latin1');
    for (const place of ['parts/twice.crob:3', 'std/linear.crob:']) expect(text.includes(place), place).toBe(true);
    expect(text.includes('project')).toBe(false);
    const manifest = await readFile(`${folder}/out-far/Main.manifest.json`, 'utf8');
    expect(manifest).not.toContain('project');
    expect(Object.keys(JSON.parse(manifest).hashes.sources)).toEqual(['main.crob', 'parts/twice.crob']);
  });
});

describe('weights in the manifest', () => {
  test('a content hash, whether they are initial ones or a file, inline or beside', async () => {
    const file = safetensorsBytes(tinyWeights);
    await writeFile(`${folder}/content.safetensors`, file);
    const ran = await Promise.all([
      build(['tiny.crob', '-o', 'content-zero']),
      build(['tiny.crob', '--seed', '1', '-o', 'content-one']),
      build(['tiny.crob', '-w', 'content.safetensors', '-o', 'content-file']),
      build(['tiny.crob', '--no-weights', '-o', 'content-none']),
      build(['wide.crob', '-o', 'content-wide']),
    ]);
    expect(ran.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
    const [zero, one, given, none] = await Promise.all(
      ['zero', 'one', 'file', 'none'].map((out) => manifestOf(`content-${out}`)),
    );
    const sha = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect([zero.hashes.weights, one.hashes.weights, given.hashes.weights]).toEqual([sha, sha, sha]);
    expect(new Set([zero, one, given].map(({ hashes: { weights } }) => weights)).size).toBe(3);
    expect(none.hashes).not.toHaveProperty('weights');
    expect(given.weights).toEqual({
      kind: 'file',
      file: 'content.safetensors',
      sha256: createHash('sha256').update(file).digest('hex'),
    });
    expect((await manifestOf('content-wide', 'Wide')).hashes.weights).toEqual(sha);
  });

  test('a model without any: no word of weights that were not written', async () => {
    await writeFile(`${folder}/bare.crob`, 'model Bare {\n  input x: f32[B]\n  output y = x + x\n}\n');
    const ran = await Promise.all([
      build(['bare.crob', '-o', 'bare-none', '--no-weights']),
      build(['bare.crob', '-o', 'bare-initial']),
    ]);
    expect(ran.map(({ code, err }) => [code, err])).toEqual([
      [0, ''],
      [0, ''],
    ]);
  });
});

describe('building again', () => {
  test('leaves nothing of the build before', async () => {
    await build(['wide.crob', '-o', 'again']);
    expect(await readdir(`${folder}/again`)).toContain('Wide.onnx.data');
    await writeFile(`${folder}/narrow.crob`, wide.replaceAll('600', '60'));
    await build(['narrow.crob', '-o', 'again']);
    expect((await readdir(`${folder}/again`)).sort()).toEqual(['Wide.manifest.json', 'Wide.onnx', 'Wide.ts']);
  });
});

describe('where it cannot write', () => {
  test('a file in the way of the folder', async () => {
    await writeFile(`${folder}/taken`, 'mine');
    const ran = await build(['tiny.crob', '-o', 'taken']);
    expect(ran).toEqual({ code: 1, out: '', err: 'crobc: cannot write taken: there is a file of that name\n' });
    expect(await readFile(`${folder}/taken`, 'utf8')).toBe('mine');
  });

  test('a folder in the way of a file: nothing half-written', async () => {
    const names = ['Wide.onnx.data', 'Wide.onnx', 'Wide.ts', 'Wide.manifest.json'];
    await Promise.all(
      names.map(async (name, i) => {
        await mkdir(`${folder}/blocked-${i}/${name}`, { recursive: true });
        const ran = await build(['wide.crob', '-o', `blocked-${i}`]);
        expect(ran).toEqual({ code: 1, out: '', err: `crobc: cannot write blocked-${i}/${name}: it is a folder\n` });
        expect(await readdir(`${folder}/blocked-${i}`)).toEqual([name]);
      }),
    );
  });

  test.skipIf(process.platform === 'win32')('no room for the whole model: what was there stays', async () => {
    await mkdir(`${folder}/full`);
    await writeFile(`${folder}/full/Tiny.onnx`, 'the old model');
    // 64 blocks of 512 bytes: less than the 80 KiB that it takes.
    const ran = await crobcProcess(['build', 'tiny.crob', '-o', 'full'], { cwd: folder, shell: 'ulimit -f 64;' });
    expect(ran).toEqual({
      code: 1,
      out: '',
      err: 'crobc: cannot write full/Tiny.onnx: the file would be larger than allowed\n',
    });
    expect(await readdir(`${folder}/full`)).toEqual(['Tiny.onnx']);
    expect(await readFile(`${folder}/full/Tiny.onnx`, 'utf8')).toBe('the old model');
  });

  describe('the disk is full', () => {
    const names = ['Wide.onnx.data', 'Wide.onnx', 'Wide.ts', 'Wide.manifest.json'];
    let sizes: number[];
    let old: Record<string, string>;
    beforeAll(async () => {
      const ran = await build(['wide.crob', '--seed', '1', '-o', 'roomy']);
      expect(ran.code).toBe(0);
      old = await hashes(`${folder}/roomy`);
      sizes = await Promise.all(names.map(async (name) => (await stat(`${folder}/roomy/${name}`)).size));
    });

    test.each([0, 1, 2, 3])('in the middle of file %i of four', async (nth) => {
      const before = sizes.slice(0, nth).reduce((sum, size) => sum + size, 0);
      const disk = before + Math.floor(sizes[nth]! / 2);
      const [fresh, over] = [`fresh-${nth}`, `over-${nth}`];
      await mkdir(`${folder}/${fresh}`);
      await cp(`${folder}/roomy`, `${folder}/${over}`, { recursive: true });
      for (const out of [fresh, over]) {
        const ran = await crobcProcess(['build', 'wide.crob', '--seed', '2', '-o', out], { cwd: folder, disk });
        const err = `crobc: cannot write ${out}/${names[nth]}: the disk is full\n`;
        expect(ran).toEqual({ code: 1, out: '', err });
      }
      expect(await readdir(`${folder}/${fresh}`)).toEqual([]);
      expect(await hashes(`${folder}/${over}`)).toEqual(old);
    });

    test('room to the last byte is enough', async () => {
      const disk = sizes.reduce((sum, size) => sum + size, 0);
      const ran = await crobcProcess(['build', 'wide.crob', '--seed', '1', '-o', 'just'], { cwd: folder, disk });
      expect(ran.code, ran.err).toBe(0);
      expect(await hashes(`${folder}/just`)).toEqual(old);
    });
  });
});

describe('--weights', () => {
  const all = safetensorsBytes(tinyWeights);
  const { 'patch.bias': bias, ...withoutBias } = tinyWeights as Record<string, Entry>;
  const files: Record<string, Buffer> = {
    good: all,
    truncated: all.subarray(0, all.length - 100),
    header: all.subarray(0, 40),
    empty: Buffer.alloc(0),
    text: Buffer.from('these are no weights at all, only some text'),
    lying: safetensorsBytes(tinyWeights, (header) => {
      header['patch.bias']!.data_offsets = [0, 1 << 30];
    }),
    untrue: safetensorsBytes(tinyWeights, (header) => {
      header['patch.bias']!.shape = [9];
    }),
    missing: safetensorsBytes(withoutBias),
    extra: safetensorsBytes({ ...tinyWeights, 'patch.scale': bias! }),
    shape: safetensorsBytes({ ...tinyWeights, 'patch.bias': { shape: [4], values: new Float32Array(4) } }),
  };

  beforeAll(async () => {
    for (const [name, bytes] of Object.entries(files)) await writeFile(`${folder}/${name}.safetensors`, bytes);
  });

  test('builds them in', async () => {
    const ran = await build(['tiny.crob', '--weights', 'good.safetensors', '-o', 'weighted']);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect((await manifestOf('weighted')).weights).toMatchObject({ kind: 'file', file: 'good.safetensors' });
    expect((await logits('weighted')).data).toEqual(new Float32Array(64).fill(24));
  });

  test('--via: by a weights map of the file', async () => {
    const rules = '"words.{x}" -> "table.{x}"\n  "conv.{x}" -> "patch.{x}"';
    await writeFile(`${folder}/mapped.crob`, `${tiny}\nweights published for Tiny {\n  ${rules}\n}\n`);
    const { 'table.weight': table, 'patch.weight': weight } = tinyWeights;
    const named = { 'words.weight': table!, 'conv.weight': weight!, 'conv.bias': bias! };
    await writeFile(`${folder}/named.safetensors`, safetensorsBytes(named));
    const [ran, missing, unknown, alone] = await Promise.all([
      build(['mapped.crob', '--weights', 'named.safetensors', '--via', 'published', '-o', 'mapped']),
      build(['mapped.crob', '--weights', 'good.safetensors', '--via', 'published', '-o', 'never']),
      build(['mapped.crob', '--weights', 'good.safetensors', '--via', 'publishd', '-o', 'never']),
      build(['mapped.crob', '--via', 'published', '-o', 'never']),
    ]);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect((await manifestOf('mapped')).weights).toMatchObject({ file: 'named.safetensors', map: 'published' });
    expect((await logits('mapped')).data).toEqual(new Float32Array(64).fill(24));
    expect(missing.err).toContain('by the map published: 3 missing (table.weight, patch.weight, patch.bias); 3 in the');
    expect(unknown.err).toBe('crobc: mapped.crob sees no weights map publishd; there is published\n');
    expect(alone.err).toBe('error: --via is for the file of --weights: give that too\n');
    expect([missing.code, unknown.code, alone.code]).toEqual([1, 1, 2]);
  });

  test.concurrent.each<[string, RegExp]>([
    ['truncated', /truncated\.safetensors/],
    ['header', /header\.safetensors/],
    ['empty', /empty\.safetensors/],
    ['text', /text\.safetensors/],
    ['lying', /lying\.safetensors/],
    ['untrue', /untrue\.safetensors/],
    ['missing', /missing\.safetensors do not fit the model: 1 missing \(patch\.bias\)/],
    ['extra', /extra\.safetensors do not fit the model: 1 unknown to the model \(patch\.scale\)/],
    ['shape', /1 of another shape \(patch\.bias: \[4\] in the file, \[8\] in the model\)/],
    ['nowhere', /cannot read nowhere\.safetensors: no such file or folder/],
  ])('%s: one line, and nothing written', async (name, err) => {
    const ran = await build(['tiny.crob', '--weights', `${name}.safetensors`, '-o', `never-${name}`]);
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toMatch(err);
    expect(ran.err).toMatch(/^crobc: [^\n]*\n$/);
    const left = await readdir(`${folder}/never-${name}`).catch(() => []);
    expect(left).toEqual([]);
  });
});

describe('--for', () => {
  test('is recorded in the manifest and in the file', async () => {
    const out = at('for-cuda');
    const { code } = await build(['tiny.crob', '--for', 'cuda', '-o', out]);
    expect(code).toBe(0);
    const manifest = (await readdir(out)).find((name) => name.endsWith('.manifest.json'));
    expect(JSON.parse(await readFile(`${out}/${manifest}`, 'utf8')).profile).toBe('cuda');
  });

  test('is refused where it has no effect', async () => {
    for (const args of [
      ['--target', 'tfjs'],
      ['--print-after', 'simplify'],
    ]) {
      const { code, err } = await build(['tiny.crob', '--for', 'cuda', ...args]);
      expect([code, err.startsWith('error: --for is for --target onnx')]).toEqual([2, true]);
    }
  });
});
