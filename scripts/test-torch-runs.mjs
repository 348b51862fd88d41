// Runs whole trainings by crobc and by the program that it writes for PyTorch, interrupts them, and lets each continue
// the other's: npm run test:torch-runs -- --python PYTHON
// Needs a Python with torch, numpy, safetensors and pillow. Further options: --micro (CroBIM_micro in two processes, which
// takes minutes), --keep FOLDER.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    micro: { type: 'boolean', default: false },
    keep: { type: 'string' },
  },
});
const work = values.keep ?? mkdtempSync(join(tmpdir(), 'crobc-torch-runs-'));
mkdirSync(work, { recursive: true });
writeFileSync(
  join(work, 'learner.crob'),
  `model Learner where H % 4 == 0, W % 4 == 0, T <= 20 {
  table = Embedding(2560, 8)
  patch = Conv2d(3, 8, 4, stride = 4)
  norm = BatchNorm(8)
  drop = Dropout(0.1)
  input image: f32[B, 3, H, W]
  input tokens: i64[B, T]
  input mask: bool[B, T]
  let words = table(i32(tokens)) * rearrange(f32(mask), "b t -> b t 1")
  let score = einsum("b d h w, b d -> b h w", drop(norm(patch(image))), sum(words, "b t d -> b d"))
  output logits: f32[B, 1, H, W] = resize(rearrange(score, "b h w -> b 1 h w"), [H, W])
}

recipe quick for Learner at B = 4, H = 32, W = 32, T = 12 {
  input target: f32[B, 1, H, W]
  term ce = cross_entropy(logits, target)
  optimizer = AdamW(lr = 1e-2)
  schedule = warmup(5) then poly(0.9)
  accumulate = 2
  clip = 1.0
  ema = 0.9
  augment = true
  steps = 24
  evaluate_every = 8
  checkpoint_every = 3
}
`,
);

const crobc = join(root, 'dist/bin/crobc.cjs');
const failed = [];

function check(what, holds, detail = '') {
  console.log(`${holds ? 'ok    ' : 'FAILED'} ${what}${detail === '' ? '' : `: ${detail}`}`);
  if (!holds) failed.push(what);
}

/** Runs a command to its end; a failure of a command that must not fail is a failed check. */
function run(command, words, { mayFail = false } = {}) {
  const ran = spawnSync(command, words, { cwd: work, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (ran.status !== 0 && !mayFail) {
    check(words.join(' '), false, ran.stderr.slice(-2000));
  }
  return ran;
}
const byCrobc = (...words) => run(process.execPath, [crobc, ...words]);

const common = ['--data', 'scenes'];
const programWords = (out, ...more) => [
  'package/train.py',
  ...common,
  '--crob-draws',
  '--workers',
  '1',
  '-o',
  out,
  ...more,
];
const distributed = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2'];
const crobcWords = (out, ...more) => [crobc, 'train', 'learner.crob', ...common, '-o', out, ...more];
const onnx = ['--device', 'cpu', '--threads', '1'];
const torch = [
  '--backend',
  'torch',
  '--python',
  values.python,
  '--crob-draws',
  '--device',
  'cpu',
  '--decode-threads',
  '1',
];
const starts = {
  'train.py': (out, ...more) => [values.python, programWords(out, ...more)],
  'crobc train': (out, ...more) => [process.execPath, crobcWords(out, ...onnx, ...more)],
  'crobc train --backend torch': (out, ...more) => [process.execPath, crobcWords(out, ...torch, ...more)],
  'crobc train --backend torch --processes 2': (out, ...more) => [
    process.execPath,
    crobcWords(out, ...torch, '--processes', '2', ...more),
  ],
};

const lines = (out) =>
  existsSync(join(work, out, 'metrics.jsonl'))
    ? readFileSync(join(work, out, 'metrics.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [];
const losses = (out) => lines(out).flatMap(({ terms, loss }) => (terms ? [loss] : []));
const scores = (out) => lines(out).filter(({ terms }) => terms === undefined);

/** The largest difference between the losses of two runs; infinite if they have not the same number of steps. */
function apart(one, other) {
  const [a, b] = [losses(one), losses(other)];
  if (a.length === 0 || a.length !== b.length) return Number.POSITIVE_INFINITY;
  return Math.max(...a.map((loss, i) => Math.abs(loss - b[i])));
}

function compare(what, one, other, limit) {
  const difference = apart(one, other);
  check(what, difference <= limit, `losses differ by ${difference.toExponential(1)}, ${limit} allowed`);
}

/** Starts a run and sends a signal when its log has so many lines. Returns its exit code. */
async function interrupted([command, words], out, signal, count) {
  const child = spawn(command, words, { cwd: work, stdio: 'ignore', detached: true });
  const closed = once(child, 'close');
  const log = join(work, out, 'metrics.jsonl');
  while (child.exitCode === null && !(existsSync(log) && readFileSync(log, 'utf8').split('\n').length > count))
    await wait(5);
  // A kill reaches the processes that load data too.
  if (signal === 'SIGKILL') process.kill(-child.pid, signal);
  else child.kill(signal);
  const [code] = await closed;
  return code;
}

/** Whether a program writes to the folder of a run. */
function inUse(out) {
  return readdirSync('/proc').some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(`--out=${out}\0`);
    } catch {
      return false;
    }
  });
}

byCrobc('data', 'synth', '-o', 'scenes', '--scenes', '24', '--size', '64', '--seed', '1');
byCrobc('build', 'learner.crob', '--target', 'torch', '-o', 'package');
run(process.execPath, crobcWords('crobc', ...onnx));
run(values.python, programWords('program'));
compare("train.py with crob's draws and crobc", 'crobc', 'program', 1e-3);

// Several processes.
for (const [name, more] of [
  ['two', []],
  ['sharded', ['--fsdp']],
]) {
  run(values.python, [...distributed, ...programWords(name, ...more)]);
  compare(`two processes${more.length > 0 ? ' with FSDP' : ''} and one`, 'program', name, 1e-4);
}
run(...starts['crobc train --backend torch']('by-crobc'));
compare('crobc train --backend torch and train.py', 'program', 'by-crobc', 0);

// Each continues the other's run.
const pairs = [
  ['crobc train', 'train.py', 'crobc'],
  ['train.py', 'crobc train', 'crobc'],
  ['crobc train', 'crobc train --backend torch --processes 2', 'crobc'],
];
for (const [first, second, reference] of pairs) {
  const out = `pair-${pairs.findIndex((pair) => pair[0] === first && pair[1] === second)}`;
  await interrupted(starts[first](out), out, 'SIGINT', 10);
  const at = losses(out).length;
  const { stderr } = run(...starts[second](out, '--resume'));
  compare(`${second} goes on with the run of ${first} behind step ${at}`, reference, out, 1e-3);
  check(`${second} notes another back end`, /the run was begun with .*the (onnx|torch) back end/.test(stderr));
}

// The weights are a trained model.
for (const out of ['program', 'two', 'by-crobc']) {
  const json = JSON.parse(
    byCrobc(
      'eval',
      `${out}/last.safetensors`,
      ...common,
      '--split',
      'val',
      '--device',
      'cpu',
      '--json',
      '-o',
      `${out}-eval`,
    ).stdout || '{}',
  );
  const last = scores(out).at(-1) ?? {};
  const off = ['mIoU', 'oIoU'].map((name) => Math.abs((json[name] ?? Number.NaN) - last[name]));
  check(`crobc eval of ${out} and its last evaluation`, Math.max(...off) <= 1e-3, `mIoU ${json.mIoU} and ${last.mIoU}`);
}
const image = readdirSync(join(work, 'scenes/img_rgb')).find((name) => name.startsWith('test'));
byCrobc(
  'predict',
  'program',
  '--image',
  `scenes/img_rgb/${image}`,
  '--text',
  'the ship',
  '--device',
  'cpu',
  '-o',
  'mask',
);
check('crobc predict takes the run', existsSync(join(work, 'mask', image.replace(/\.png$/, '.mask.png'))));

// Kills, and stops by the signals of a terminal and of a job manager; the same program continues.
const interruptions = [
  ['train.py', 'SIGKILL', null],
  ['train.py', 'SIGINT', 130],
  ['crobc train --backend torch', 'SIGKILL', null],
  ['crobc train --backend torch', 'SIGTERM', 143],
  ['crobc train --backend torch --processes 2', 'SIGINT', 130],
];
for (const [i, [name, signal, code]] of interruptions.entries()) {
  const out = `stopped-${i}`;
  const ended = await interrupted(starts[name](out), out, signal, 10);
  check(`${name} ends by ${signal}`, ended === code, `exit code ${ended}`);
  // The program of a crobc that was killed saves, and ends.
  while (signal === 'SIGKILL' && inUse(out)) await wait(100);
  run(...starts[name](out, '--resume'));
  compare(`${name} goes on after ${signal}`, name.endsWith('2') ? 'two' : 'program', out, 0);
}

if (values.micro) {
  const micro = ['--set', 'recipe.steps=6', '--set', 'B=4', '--set', 'recipe.evaluate_every=6'];
  const model = join(root, 'models/crobim.crob');
  byCrobc('build', model, '-m', 'CroBIM_micro', ...micro, '--target', 'torch', '-o', 'micro');
  const words = (out) => ['micro/train.py', ...common, '--crob-draws', '--workers', '1', '-o', out];
  run(values.python, words('micro-one'));
  run(values.python, [...distributed, ...words('micro-two')]);
  compare('CroBIM_micro in two processes and in one', 'micro-one', 'micro-two', 1e-4);
}

if (values.keep === undefined) rmSync(work, { recursive: true });
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
