// Builds the shipped models for PyTorch and for onnxruntime and compares the results, and gradients of the micro models:
// npm run test:torch -- --python PYTHON
// Needs a Python with torch, safetensors, numpy and onnxruntime. Further options: --only NAME, --compile, --export, --time, --full (CroBIM as published),
// --style BIN (a folder with black, ruff and mypy, which check the packages), --keep FOLDER.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { importSource } from './bundle-source.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    only: { type: 'string', multiple: true },
    compile: { type: 'boolean', default: false },
    export: { type: 'boolean', default: false },
    time: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    style: { type: 'string' },
    keep: { type: 'string' },
  },
});

/** Models of a file by name. */
function modelsOf(file) {
  return [...readFileSync(file, 'utf8').matchAll(/^model (\w+)/gm)].map(([, name]) => name);
}

/** Variants of the published sizes for small images. */
function small(names) {
  const lines = ['backbone = SwinMicro()', 'text = BertMicro()', 'dim = 64', 'lgfa.topk = 4'];
  const inside = ['mid.layers = 2', 'mid.heads = 4', 'mid.points = 2', 'mid.hidden = 128', 'mid.groups = 8'];
  // In the literal reading, nothing has groups.
  const own = (name) => inside.filter((line) => name !== 'CroBIM_Literal' || !line.startsWith('mid.groups'));
  return names.map((name) => `model Small_${name} extends ${name} {\n  ${[...lines, ...own(name)].join('\n  ')}\n}\n`);
}

const work = values.keep ?? mkdtempSync(join(tmpdir(), 'crobc-torch-'));
mkdirSync(work, { recursive: true });
const sizes = { B: 2, H: 128, W: 96, T: 20, tokens: 2466 };
const cases = [];
for (const name of ['ablations', 'readings']) {
  const models = modelsOf(join(root, 'models', `${name}.crob`));
  const source = [
    'use std.backbone.{SwinMicro}',
    'use std.text.{BertMicro}',
    `use models.${name}.{${models.join(', ')}}`,
    ...small(models),
  ];
  const file = join(work, `small_${name}.crob`);
  writeFileSync(file, `${source.join('\n')}\n`);
  for (const model of models) cases.push({ file, model: `Small_${model}` });
}
const shipped = ['crobim', 'sizes', 'ablations_micro'].map((name) => join(root, 'models', `${name}.crob`));
const rivals = readdirSync(join(root, 'models/rivals')).map((name) => join(root, 'models/rivals', name));
for (const file of [...shipped, ...rivals])
  for (const model of modelsOf(file))
    if (/micro/i.test(model)) cases.push({ file, model, square: basename(file) === 'rmsin.crob' });
if (values.full)
  for (const model of ['CroBIM', 'CroBIM_ConvNeXt'])
    cases.push({ file: join(root, 'models/crobim.crob'), model, full: true });

// The loss is linear in the logits, so that PyTorch computes the same one in a line.
const graded = ['CroBIM_micro', 'CroBIM_micro_ConvNeXt'];
// Exported for free sizes of images, in multiples of this number of pixels.
const resizable = new Map([['LAVT_micro', 32]]);
const gradients = join(work, 'gradients.crob');
const recipe = (
  name,
) => `recipe of_${name} for ${name} at B = ${sizes.B}, H = ${sizes.H}, W = ${sizes.W}, T = ${sizes.T} {
  input target: f32[B, 1, H, W]
  term match = mean(logits * target, "b 1 h w ->")
  optimizer = SGD(lr = 1.0)
  steps = 1
}
`;
writeFileSync(
  gradients,
  `use models.crobim.{CroBIM_micro}\nuse models.sizes.{CroBIM_micro_ConvNeXt}\n${graded.map(recipe).join('')}`,
);
const { writeGradients } = await importSource('scripts/write-gradients.ts');

const crobc = join(root, 'dist/bin/crobc.cjs');
const chosen = cases.filter(({ model }) => !values.only || values.only.includes(model));
const folders = [];
const failed = [];
for (const { file, model, square, full } of chosen) {
  const folder = join(work, model);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const build = (...more) =>
    spawnSync(process.execPath, [crobc, 'build', file, '-m', model, ...more], { encoding: 'utf8' });
  const package_ = build('--target', 'torch', '-o', join(folder, 'torch_model'));
  const onnx = package_.status === 0 ? build('-o', folder) : package_;
  if (onnx.status !== 0) {
    console.log(`FAILED ${model}:\n${onnx.stderr}`);
    failed.push(model);
    continue;
  }
  if (graded.includes(model)) await writeGradients(gradients, model, join(folder, 'gradients.onnx'));
  const own = full ? { B: 1, H: 480, W: 480, T: 20, tokens: 30522 } : { ...sizes, ...(square ? { W: 128 } : {}) };
  writeFileSync(join(folder, 'case.json'), JSON.stringify({ model, dims: [own], multiple: resizable.get(model) }));
  folders.push(folder);
}
const python = [
  join(root, 'scripts/test-torch.py'),
  ...(values.compile ? ['--compile'] : []),
  ...(values.export ? ['--export'] : []),
  ...(values.time ? ['--time'] : []),
];
const ran = spawnSync(values.python, [...python, ...folders], { stdio: 'inherit' });
if (ran.status !== 0) failed.push('results');
if (values.style) {
  const bin = (name) => join(values.style, name);
  const packages = folders.map((folder) => join(folder, 'torch_model'));
  const checks = [
    [bin('black'), '--check', '--quiet', ...packages],
    [bin('ruff'), 'check', '--quiet', ...packages],
    ...packages.map((one) => [
      bin('mypy'),
      '--strict',
      '--allow-untyped-calls',
      '--no-error-summary',
      '--python-executable',
      values.python,
      one,
    ]),
  ];
  for (const [program, ...args] of checks) {
    const { status, error } = spawnSync(program, args, { stdio: 'inherit' });
    if (status !== 0) failed.push(`${basename(program)} ${args.at(-1)}${error ? `: ${error.message}` : ''}`);
  }
}
if (values.keep === undefined) rmSync(work, { recursive: true });
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
