// slow: trains

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { ARENA, type DeviceNeed } from '../../runtime/training/device-need.ts';
import type { DryRun } from '../../runtime/training/dry-run.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, crobcProcess, main, type Ran, type RunOptions } from './crobc.ts';
import { learner, writeDataset } from './training-data.ts';

const at = temporaryFolder();
let folder: string;

const words = ['train', 'learner.crob', '--data', 'data', '--device', 'cpu', '--threads', '1'];
/** Without the notes that short runs are short, which plan-notes.test.ts holds. */
const withoutPlan = (ran: Ran): Ran => ({
  ...ran,
  err: ran.err.replace(/^(the warm-up takes |evaluate_every = ).*\n/gm, ''),
});
const run = async (args: readonly string[], options: RunOptions = {}): Promise<Ran> =>
  withoutPlan(await crobc(args, { cwd: folder, ...options }));
const train = (args: readonly string[], options?: RunOptions) => run([...words, ...args], options);

/** The log without what a clock says. */
async function log(out: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(`${folder}/${out}/metrics.jsonl`, 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { seconds, samples_per_second, ...rest } = JSON.parse(line);
      expect(seconds).toEqual(expect.any(Number));
      return rest;
    });
}
const weights = (out: string) => readFile(`${folder}/${out}/last.safetensors`);

/** Starts a run and ends it with a signal once its log has so many lines. */
async function interrupted(
  args: readonly string[],
  out: string,
  signal: NodeJS.Signals,
  lines: number,
  begin: readonly string[] = words,
) {
  const child = spawn(process.execPath, [main, ...begin, ...args, '-o', out], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const closed = once(child, 'close');
  for (;;) {
    const text = await readFile(`${folder}/${out}/metrics.jsonl`, 'utf8').catch(() => '');
    if (text.split('\n').length > lines || child.exitCode !== null) break;
    await wait(2);
  }
  child.kill(signal);
  const [code] = await closed;
  return { code: code as number | null, err };
}

beforeAll(async () => {
  folder = at('work');
  await mkdir(folder);
  await writeFile(`${folder}/bare.crob`, 'model Bare {\n  input x: f32[B]\n  output y = x + x\n}\n');
  await writeFile(`${folder}/learner.crob`, learner);
  await writeDataset(`${folder}/data`);
  const ran = await train(['-o', 'whole']);
  expect(ran).toMatchObject({ code: 0, err: '' });
  expect(ran.out).toMatch(/^Learner with recipe quick on cpu: done after step 40 of 40, /);
});

describe('a run', () => {
  test('leaves a log of every step and evaluation, checkpoints and weights', async () => {
    const lines = await log('whole');
    expect(lines.filter((line) => 'terms' in line).map(({ step }) => step)).toEqual(
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
    expect(lines.filter((line) => 'mIoU' in line).map(({ step }) => step)).toEqual([20, 40]);
    for (const line of lines) expect(line).toMatchObject({ loss: expect.any(Number), lr: expect.any(Number) });
    expect(lines[0]!.lr).toBeCloseTo(1e-2 / 5, 12);
    expect(lines[2]!.lr).toBeCloseTo(3e-2 / 5, 12);
    expect((await readdir(`${folder}/whole`)).sort()).toEqual([
      'best.safetensors',
      'checkpoints',
      'events',
      'last.safetensors',
      'metrics.jsonl',
    ]);
  });

  test('learns', async () => {
    const losses = (await log('whole')).map(({ loss }) => loss as number);
    const mean = (of: readonly number[]) => of.reduce((sum, v) => sum + v, 0) / of.length;
    expect(mean(losses.slice(-5))).toBeLessThan(0.8 * mean(losses.slice(0, 5)));
  });

  test('gives weights that build and predict take', async () => {
    const predicted = await crobc(
      [
        'predict',
        'learner.crob',
        '-i',
        'data/img_rgb/val_7.png',
        '-t',
        'the white roof',
        '-w',
        'whole/best.safetensors',
        '--device',
        'cpu',
        '-o',
        'predicted',
        '--json',
      ],
      { cwd: folder },
    );
    expect(predicted).toMatchObject({ code: 0, err: '' });
    const built = await crobc(['build', 'learner.crob', '-w', 'whole/last.safetensors', '-o', 'built'], {
      cwd: folder,
    });
    expect(built).toMatchObject({ code: 0, err: '' });
  });

  test('into a folder that has one is refused, and so is a second one at once', async () => {
    expect(await train(['-o', 'whole'])).toEqual({
      code: 1,
      out: '',
      err: 'crobc: whole holds a run that came to step 40: go on with it (--resume), or choose another folder (-o)\n',
    });
    await mkdir(`${folder}/taken`);
    await writeFile(`${folder}/taken/.lock`, JSON.stringify({ pid: process.pid, started: '', host: hostname() }));
    const ran = await train(['-o', 'taken']);
    expect(ran).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^crobc: taken is in use by another run \(process \d+\): [^\n]*\n$/),
    });
  });

  test('shows the same samples at every evaluation, however small the batch', async () => {
    expect(await train(['--set', 'B=1', '--steps', '2', '-o', 'shown'])).toMatchObject({ code: 0 });
    const [name] = await readdir(`${folder}/shown/events`);
    const events = await readFile(`${folder}/shown/events/${name}`, 'latin1');
    for (const i of [1, 2]) expect(events).toContain(`prediction ${i}: the white roof`);
  });

  test('says that phrases are cut which are longer than the model takes', async () => {
    const ran = await train(['--set', 'T=5', '--steps', '1', '-o', 'cut']);
    const cut = (split: string, n: number) =>
      `${n} of ${n} phrases have more word pieces than T = 5 takes, and are cut: data/output_phrase_${split}.txt:1 is the first\n`;
    expect(ran).toMatchObject({ code: 0, err: `${cut('train', 7)}${cut('val', 2)}` });
  });

  test('with micro-batches, clipping and averages', async () => {
    const ran = await train(['-r', 'careful', '--steps', '6', '-o', 'careful', '--json']);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(ran.out)).toMatchObject({ end: 'done', step: 6, files: { last: 'careful/last.safetensors' } });
    await train(['-r', 'careful', '--steps', '6', '-o', 'careful2']);
    expect((await weights('careful2')).equals(await weights('careful'))).toBe(true);
  });
});

test('recomputing a module learns the same', async () => {
  // The option takes one module, also in front of the file.
  const ran = await run(['train', '--recompute', 'patch', ...words.slice(1), '-o', 'recomputed']);
  expect(ran).toMatchObject({ code: 0, err: '' });
  const [kept, again] = await Promise.all(['whole', 'recomputed'].map(log));
  for (const [i, line] of again!.entries())
    if ('terms' in line) expect(line.loss).toBeCloseTo(kept![i]!.loss as number, 5);
});

describe('--resume', () => {
  const same = async (out: string) => {
    expect(await log(out)).toEqual(await log('whole'));
    expect((await weights(out)).equals(await weights('whole'))).toBe(true);
  };

  test('goes on after SIGTERM and SIGINT as if nothing had been', async () => {
    const first = await interrupted([], 'signals', 'SIGTERM', 5);
    expect(first.code).toBe(143);
    expect(first.err).toContain('SIGTERM: finishing the step and saving it');
    expect(first.err).toMatch(/stopped by SIGTERM; to go on: crobc train learner\.crob .* -o signals --resume\n$/);
    const second = await interrupted(['--resume'], 'signals', 'SIGINT', 25);
    expect(second.code).toBe(130);
    const ran = await train(['-o', 'signals', '--resume']);
    expect(ran).toMatchObject({ code: 0, err: '' });
    await same('signals');
    // Once more: there is nothing to do, and nothing changes.
    expect(await train(['-o', 'signals', '--resume'])).toMatchObject({ code: 0, err: '' });
    await same('signals');
  });

  test('goes on with the scale of a loss in f16', async () => {
    const half = ['--precision', 'f16'];
    expect(await train(['-o', 'half', ...half])).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^f16 is emulated on the CPU: .*\n$/),
    });
    await interrupted(half, 'half-stopped', 'SIGTERM', 9);
    expect(await train(['-o', 'half-stopped', '--resume', ...half])).toMatchObject({ code: 0 });
    const scales = (await log('half')).filter((line) => 'terms' in line);
    expect(scales).toHaveLength(40);
    for (const line of scales)
      expect(line).toMatchObject({ loss_scale: expect.any(Number), skipped: expect.any(Boolean) });
    expect(await log('half-stopped')).toEqual(await log('half'));
    expect((await weights('half-stopped')).equals(await weights('half'))).toBe(true);
    expect((await weights('half')).equals(await weights('whole'))).toBe(false);
  });

  test.each([
    [['--precision', 'tf32'], 'the device cpu trains in f32, and the precision is tf32'],
    [['--precision', 'bf16', '--backend', 'tfjs'], 'the tfjs back end trains in f32, and the precision is bf16'],
  ])('%j has no such precision', async (options, why) => {
    const ran = await train(['-o', 'refused', ...options, '--dry-run']);
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining(why) });
  });

  test('before the first step there is nothing to save, and nothing is left of the lock', async () => {
    const child = spawn(process.execPath, [main, ...words, '-o', 'early'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    const closed = once(child, 'close');
    const present = (name: string) =>
      readdir(`${folder}/early`).then(
        (names) => names.includes(name),
        () => false,
      );
    while (!(await present('.lock')) && child.exitCode === null) await wait(1);
    child.kill('SIGINT');
    const [code] = await closed;
    // A machine that stops this process for a while has trained by then.
    if (await present('metrics.jsonl')) return;
    expect({ code, err }).toEqual({ code: 130, err: 'SIGINT: ended before the first step, nothing was saved\n' });
    expect(await readdir(`${folder}/early`)).toEqual([]);
  });

  test('goes on after SIGKILL', async () => {
    for (const lines of [2, 9, 23]) await interrupted(['--resume'], 'killed', 'SIGKILL', lines);
    expect(await train(['-o', 'killed', '--resume'])).toMatchObject({ code: 0 });
    await same('killed');
    expect((await readdir(`${folder}/killed/checkpoints`)).filter((name) => !/^step-\d+$/.test(name))).toEqual([]);
  });

  test('goes on from the checkpoint before a damaged one, and says so', async () => {
    await cp(`${folder}/whole`, `${folder}/damaged`, { recursive: true });
    const file = `${folder}/damaged/checkpoints/step-00000040/state.safetensors`;
    const bytes = await readFile(file);
    bytes[bytes.length - 9]! ^= 16;
    await writeFile(file, bytes);
    const ran = await train(['-o', 'damaged', '--resume']);
    expect(ran).toMatchObject({
      code: 0,
      err: 'the checkpoint damaged/checkpoints/step-00000040 is damaged (state.safetensors was changed); it is now damaged/checkpoints/step-00000040.damaged\n',
    });
    await same('damaged');
  });

  test('refuses another recipe, model, seed, or data', async () => {
    const pieces = (await readFile('models/vocab/aerial.txt', 'utf8')).split('\n').slice(0, 200);
    await writeFile(`${folder}/other.txt`, pieces.join('\n'));
    for (const [change, why] of [
      [['--set', 'recipe.lr=0.02'], 'lr was 0.01 and is 0.02'],
      [['--set', 'drop.rate=0.2'], 'the losses, or the training form of the model, were changed'],
      [['--seed', '3'], 'seed was 0 and is 3'],
      [['--precision', 'bf16'], 'precision was not set and is "bf16"'],
      [['--no-phrases'], 'phrases was not set and is "blank"'],
      [['--tokenizer', 'other.txt'], 'the vocabulary was changed'],
    ] as const) {
      const ran = await train(['-o', 'whole', '--resume', ...change]);
      expect(ran).toMatchObject({ code: 1, out: '' });
      expect(ran.err).toContain(`cannot go on: ${why}; put it back, or`);
    }
  });

  test('says where the surroundings are others, and knows the data by another path', async () => {
    await cp(`${folder}/whole`, `${folder}/moved`, { recursive: true });
    const spelt = words.map((word) => (word === 'data' ? './data/' : word === '1' ? '2' : word));
    expect(await run([...spelt, '-o', 'moved', '--resume', '--recompute', 'patch'])).toMatchObject({
      code: 0,
      err: "the run was begun with --threads 1 and no --recompute: its numbers may differ in their last digits from an unbroken run's\n",
    });
    await same('moved');
  });

  test('goes on without a picture that is gone, if told so', async () => {
    await cp(`${folder}/data`, `${folder}/losing`, { recursive: true });
    const losing = words.map((word) => (word === 'data' ? 'losing' : word));
    for (const onBad of ['stop', 'skip'] as const) {
      const out = `losing-${onBad}`;
      await interrupted(['--on-bad', onBad], out, 'SIGTERM', 9, losing);
    }
    await rm(`${folder}/losing/img_rgb/train_3.png`);
    // Each run may stop some steps later than it was asked to.
    const before = { 'losing-stop': await log('losing-stop'), 'losing-skip': await log('losing-skip') };
    const stopped = await run([...losing, '-o', 'losing-stop', '--resume']);
    expect(stopped).toMatchObject({ code: 1, err: expect.stringContaining('(--on-bad skip would go on without it)') });
    for (const out of ['losing-stop', 'losing-skip'] as const) {
      const ran = await run([...losing, '-o', out, '--resume', '--on-bad', 'skip']);
      expect(ran).toMatchObject({
        code: 0,
        err: expect.stringMatching(/^losing\/output_phrase_train\.txt:4: [^\n]*\n$/),
      });
      const { length } = before[out];
      expect((await log(out)).slice(0, length)).toEqual((await log('whole')).slice(0, length));
    }
  });

  test('needs what its recipe starts from as long as there is no checkpoint', async () => {
    await writeFile(`${folder}/further.crob`, `${learner}\nrecipe further extends quick {\n  start from quick\n}\n`);
    const ran = (more: readonly string[]) =>
      run(['train', 'further.crob', '-r', 'further', ...words.slice(2), '--steps', '2', '-o', 'further', ...more]);
    const wanted = {
      code: 1,
      err: 'crobc: recipe further starts from the result of quick: give it with --weights (best.safetensors in the folder of that run)\n',
    };
    expect(await ran([])).toMatchObject(wanted);
    expect(await ran(['--resume'])).toMatchObject(wanted);
    expect(await ran(['--resume', '--weights', 'whole/best.safetensors'])).toMatchObject({ code: 0 });
    expect(await ran(['--resume'])).toMatchObject({ code: 0, err: '' });
  });

  test('without a checkpoint begins at the beginning', async () => {
    const ran = await train(['-o', 'begin', '--resume', '--steps', '2']);
    expect(ran).toMatchObject({ code: 0, err: 'begin has no checkpoint: training begins at the beginning\n' });
  });
});

describe('what goes wrong', () => {
  test('a full disk is one line, and loses nothing', async () => {
    await interrupted([], 'full', 'SIGTERM', 5);
    const before = await readdir(`${folder}/full/checkpoints`);
    const limited = { cwd: folder, shell: 'ulimit -f 32;' };
    const full = withoutPlan(await crobcProcess([...words, '-o', 'full', '--resume'], limited));
    expect(full).toMatchObject({ code: 1, out: '' });
    expect(full.err).toMatch(/^crobc: cannot write full\/[^\n]*: [^\n]*\n$/);
    expect(await readdir(`${folder}/full/checkpoints`)).toEqual(expect.arrayContaining(before));
    expect(await train(['-o', 'full', '--resume'])).toMatchObject({ code: 0 });
    expect((await weights('full')).equals(await weights('whole'))).toBe(true);
  });

  test('a loss that is no number names the operator, its line, and the last good checkpoint', async () => {
    const ran = await train(['-o', 'nan', '--set', 'recipe.lr=1e30', '--set', 'recipe.schedule=constant()']);
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toMatch(
      /^step (\d+): [^\n]*; looking for the operator that made it\ncrobc: step \1: [^\n]*; the first (NaN|Inf) came out of \S+[^\n]* in [^\n]*(learner|std\/\w+)\.crob:\d+[^\n]*; (there is no checkpoint before it|the last good checkpoint is nan\/checkpoints\/step-\d+)\n$/,
    );
  });

  test('so do predictions that are not, and not the data that they were made of', async () => {
    const args = ['-o', 'nan2', '--set', 'recipe.lr=1e30', '--set', 'recipe.evaluate_every=1', '--resume'];
    for (const _ of [1, 2]) {
      const ran = await train(args);
      expect(ran).toMatchObject({ code: 1, out: '' });
      expect(ran.err).toMatch(
        /\nstep 1: the predictions after it are NaN; looking for [^\n]*\ncrobc: step 1: the predictions after it are NaN; the first (NaN|Inf) came out of matmul \(einsum\) in Learner, learner\.crob:12; there is no checkpoint before it\n$/,
      );
    }
  });

  test('and a step at whose indices onnxruntime gives up, for they were NaN', async () => {
    const picking = learner.replace('table(i32(tokens))', 'table(i32(log(f32(tokens) - 9999.0)))');
    await writeFile(`${folder}/picking.crob`, picking);
    const ran = await run(['train', 'picking.crob', ...words.slice(2), '-o', 'nan3']);
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toMatch(
      /^step 1: it cannot be computed \([^\n]*Gather[^\n]*\); looking for [^\n]*\ncrobc: step 1: it cannot be computed; the first NaN came out of log in Learner, picking\.crob:11; there is no checkpoint before it\n$/,
    );
  });

  describe('and CroBIM_micro, of thousands of operators:', () => {
    const diverging = [
      ...['train', resolve('models/crobim.crob'), '--model', 'CroBIM_micro', ...words.slice(2)],
      ...['--set', 'B=2,H=64,W=64,recipe.lr=1e10,recipe.schedule=constant(),recipe.evaluate_every=4', '--steps', '4'],
    ];

    test('the operator is found', async () => {
      const ran = await run([...diverging, '-o', 'micro']);
      expect(ran).toMatchObject({ code: 1, out: '' });
      expect(ran.err).toMatch(
        /\ncrobc: step \d: [^\n]*; the first (NaN|Inf) came out of [^\n]*, std\/\w+\.crob:\d+; [^\n]*\n$/,
      );
    });

    test('or the user leaves the search', async () => {
      const child = spawn(process.execPath, [main, ...diverging, '-o', 'left'], { cwd: folder });
      const closed = once(child, 'close');
      let err = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        if (!err.includes('looking') && text.includes('looking')) child.kill('SIGINT');
        err += text;
      });
      const [code] = await closed;
      expect(code).toBe(1);
      expect(err).toMatch(
        /\nSIGINT: leaving the search; once more ends at once\ncrobc: step 2: [^\n]*; the search for the operator was left; there is no checkpoint before it\n$/,
      );
    });
  });

  test('a picture that is gone or damaged: a line, and the run is kept', async () => {
    await cp(`${folder}/data`, `${folder}/broken`, { recursive: true });
    await writeFile(
      `${folder}/broken/img_rgb/train_3.png`,
      (await readFile(`${folder}/broken/img_rgb/train_3.png`)).subarray(0, 60),
    );
    const at = (onBad: string, out: string) =>
      run([...words.map((word) => (word === 'data' ? 'broken' : word)), '--steps', '8', '--on-bad', onBad, '-o', out]);
    const stopped = await at('stop', 'stopped');
    expect(stopped).toMatchObject({ code: 1, out: '' });
    expect(stopped.err).toMatch(/^crobc: broken\/output_phrase_train\.txt:4: [^\n]*train_3\.png[^\n]*\n$/);
    const skipped = await at('skip', 'skipped');
    expect(skipped.code).toBe(0);
    expect(skipped.err).toMatch(/^broken\/output_phrase_train\.txt:4: [^\n]*\n$/);
    await rm(`${folder}/broken/img_rgb/train_3.png`);
    expect((await at('stop', 'stopped2')).err).toMatch(
      /^crobc: broken\/output_phrase_train\.txt:4: [^\n]*train_3\.png[^\n]*\n$/,
    );
  });

  test.each<[string, readonly string[], RegExp]>([
    ['no such data', ['train', 'learner.crob', '--data', 'none'], /^crobc: [^\n]*none[^\n]*\n$/],
    [
      'no such recipe',
      [...words, '--recipe', 'quik'],
      /^crobc: learner\.crob has no recipe for Learner called quik; did you mean quick\?\n$/,
    ],
    [
      'no such model',
      [...words, '--model', 'Lerner'],
      /^crobc: learner\.crob has no model Lerner; did you mean Learner\?\n$/,
    ],
    [
      'no such metric',
      [...words, '--set', 'recipe.metric=mIo'],
      /^error\[CROB2321\]: `metric` must be one of "mIoU", [^\n]*\n {2}--set:1:15 {3}recipe\.metric=mIo\n[^\n]*\n {2}help: did you mean `mIoU`\?\n1 error\n$/,
    ],
    [
      'nothing to train',
      ['train', 'fixed.crob', '-r', 'fixed', ...words.slice(2), '--dry-run'],
      /^error\[CROB2323\]: recipe `fixed` has no weight left to train\n[\s\S]*\n1 error\n$/,
    ],
    [
      'no such module to recompute',
      [...words, '--recompute', 'head.*'],
      /^crobc: Learner has no module head\.\*; "crobc summary" lists them\n$/,
    ],
    [
      'no recipe',
      ['train', 'bare.crob', '--dry-run'],
      /^crobc: bare\.crob has no recipe for Bare, and training needs one\n$/,
    ],
    ['too large a batch', [...words, '--set', 'B=9'], /^crobc: there are 7 samples and a batch is 9: [^\n]*\n$/],
    [
      'weights of another model',
      [...words, '-w', 'learner.crob', '-o', 'never'],
      /^crobc: cannot read learner\.crob: [^\n]*\n$/,
    ],
  ])('%s', async (_name, args, err) => {
    await writeFile(
      `${folder}/fixed.crob`,
      `${learner}\nrecipe fixed extends quick {\n  fix table.*\n  fix patch.*\n}\n`,
    );
    const ran = await crobc(args, { cwd: folder });
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toMatch(err);
  });

  test('a setting without a value', async () => {
    const ran = await crobc([...words, '--set', 'recipe.lr='], { cwd: folder });
    expect(ran).toEqual({ code: 2, out: '', err: 'error: --set recipe.lr=: write name=value\n' });
  });
});

/** A model with an output for losses. */
const aside = (batch: string) => `model Net {
  c = Conv2d(3, 1, 1)
  side = Conv2d(3, 1, 1)
  input image: f32[B, 3, H, W]
  output logits = c(image)
  output(train) early = side(image)
}
recipe plain for Net at B = ${batch}, H = 8, W = 8 {
  input target: f32[B, 1, H, W]
  term a = mean(square(logits), "b c h w ->") * mean(target, "b c h w ->")
  term b = mean(square(early), "b c h w ->")
  optimizer = SGD(lr = 0.1)
  steps = 1
  fix side.bias
}
recipe detached extends plain {
  term b = mean(stop_gradient(early), "b c h w ->")
}
`;

describe('--dry-run', () => {
  test('says what a run would be, and where each value is from', async () => {
    const ran = await train(['--dry-run', '--steps', '9', '--set', 'recipe.lr=2e-3']);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain('  input  image: f32[2, 3, 16, 16]\n');
    expect(ran.out).toContain('parameters  20,872 trained\n');
    // Four bytes a weight, three times for AdamW.
    expect(ran.out).toContain('  state     weights 81.5 KiB, moments 81.5 KiB, variances 81.5 KiB\n');
    expect(ran.out).toMatch(/\n {2}step {6}[\d.]+ KiB at its peak.*: batch, activations, gradients\n/);
    expect(ran.out).toContain('steps       9, 3 an epoch, 2 samples each\n');
    expect(ran.out).toMatch(/\nlr +0\.002 +--set recipe\.lr=2e-3\n/);
    expect(ran.out).toMatch(/\nschedule +warmup\(steps = 5\) then poly\(power = 0\.9, end = 0\) +learner\.crob:21\n/);
    expect(ran.out).toMatch(/\nterm ce +cross_entropy\(logits, target\) +learner\.crob:19\n/);
    expect(ran.out).toMatch(/\nbeta2 +0\.999 +default\n/);
    expect(ran.out).toMatch(/\nclip +none +default\n/);
    expect(ran.out).toMatch(/\nmetric +mIoU +default\n/);
    expect(ran.out).toMatch(/\ngroups +none +default\n/);
    expect(ran.out).toMatch(/\nsteps +9 +--steps 9\n/);
  });

  test('and what the run is too short for', async () => {
    for (const data of [[], ['--data', 'data']]) {
      const ran = await crobc(['train', 'learner.crob', '--dry-run', '--steps', '3', ...data], { cwd: folder });
      expect(ran).toMatchObject({
        code: 0,
        err: [
          'the warm-up takes 5 steps and the run has 3: the learning rate comes to 0.006 of 0.01, and poly has no effect\n',
          'evaluate_every = 20 is longer than the run of 3 steps: it is evaluated after the last step alone\n',
        ].join(''),
      });
    }
  });

  test('takes options for settings as the settings that they are', async () => {
    const of = async (...args: string[]) => {
      const ran = await crobc(['train', 'learner.crob', '--dry-run', '--json', ...args], { cwd: folder });
      expect(ran.code).toBe(0);
      const { settings } = JSON.parse(ran.out) as { settings: { name: string; value: unknown; source: string }[] };
      return { err: ran.err, settings: new Map(settings.map(({ name, ...rest }) => [name, rest])) };
    };
    const option = await of('--steps', '10', '--lr', '3e-3', '--batch-size', '1', '--seed', '4');
    const set = await of('--set', 'recipe.steps=10,recipe.lr=3e-3,B=1,recipe.seed=4');
    const values = ({ settings }: typeof set) => [...settings].map(([name, { value }]) => [name, value]);
    expect(values(option)).toEqual(values(set));
    expect(option.settings.get('steps')).toEqual({ value: 10, source: '--steps 10' });
    expect(option.settings.get('seed')).toEqual({ value: 4, source: '--seed 4' });
    expect(set.settings.get('steps')).toEqual({ value: 10, source: '--set recipe.steps=10' });
    expect(option.err).toContain('--lr 3e-3 is --set recipe.lr=3e-3; --set takes every setting of a recipe\n');
    expect(option.err).toContain('--batch-size 1 is --set B=1; --set takes every setting of a recipe\n');
    const epochs = await of('--epochs', '2');
    expect(epochs.settings.get('epochs')).toEqual({ value: 2, source: '--epochs 2' });
    // Intervals of the recipe count its steps.
    expect(epochs.err).toContain('evaluate_every of learner.crob:23 counts steps, and the run counts epochs');
    expect(epochs.settings.get('evaluate_every')).toEqual({ value: 1, source: 'default' });
  });

  test.each([
    [['--steps', '5', '--epochs', '2'], '--steps 5 and --epochs 2 give the same: leave one of them out'],
    [['--steps', '5', '--set', 'recipe.steps=5'], '--steps 5 and --set recipe.steps=5 give the same'],
    [['--epochs', '5', '--set', 'recipe.steps=5'], '--epochs 5 and --set recipe.steps=5 give the same'],
    [['--batch-size', '5', '--set', 'recipe.batch=4'], '--batch-size 5 and --set recipe.batch=4 give the same'],
    [['--batch-size', '5', '--set', 'H=32,B=4'], '--batch-size 5 and --set B=4 give the same'],
    [['--lr', '5', '--set', 'recipe.lr = 4'], '--lr 5 and --set recipe.lr = 4 give the same'],
  ])('refuses a setting that is given twice: %j', async (args, message) => {
    const ran = await train(['--dry-run', ...args]);
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toContain(`error: ${message}`);
  });

  test('says what the recipe leaves behind, and where it starts from', async () => {
    await writeFile(
      `${folder}/further.crob`,
      `${learner}\nrecipe further extends quick {\n  start from quick\n  fix patch.*\n  epochs = 3\n}\n`,
    );
    const ran = await run(['train', 'further.crob', '-r', 'further', '--dry-run']);
    expect(ran.err).toBe(
      ['evaluate_every of further.crob:23', 'checkpoint_every of further.crob:24']
        .map((what) => `${what} counts steps, and the run counts epochs: the setting has no effect\n`)
        .join(''),
    );
    expect(ran.out).toMatch(/\nevaluate_every +1 +default\n/);
    expect(ran.out).toMatch(/\nfix +patch\.\* +further\.crob:35\n/);
    expect(ran.out).toMatch(/\nstart_from +quick +further\.crob:34\n/);
  });

  test('counts weights that are not trained by the reason, and shows outputs for losses', async () => {
    await writeFile(`${folder}/aside.crob`, aside('2'));
    const ran = await run(['train', 'aside.crob', '--dry-run']);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain('  output logits: f32[2, 1, 8, 8]\n  output(train) early: f32[2, 1, 8, 8]\n\n');
    expect(ran.out).toContain('parameters  7 trained\n  fixed     1 by the recipe\nmemory ');
    const none = await run(['train', 'aside.crob', '--dry-run', '-r', 'detached', '--json']);
    expect(none.err).toContain('no term of `detached` has a gradient for `side.weight` any longer: 3 weights');
    expect(JSON.parse(none.out)).toMatchObject({
      outputs: { logits: 'f32[2, 1, 8, 8]' },
      lossOutputs: { early: 'f32[2, 1, 8, 8]' },
      parameters: { trained: 4, fixed: 1, unreached: 3, inference: 0, buffers: 0 },
    });
  });

  test('refuses inputs that no data have, with their lines, without data as well', async () => {
    await writeFile(`${folder}/fed.crob`, aside('3').replace('B, 1, H', 'B, 2, H'));
    const target = await run(['train', 'fed.crob', '--dry-run']);
    expect(target).toMatchObject({
      code: 1,
      err: 'crobc: the data give target: f32[3, 1, 8, 8], and Net with recipe plain takes target: f32[3, 2, 8, 8] (fed.crob:9)\n',
    });
    expect(target.out).toContain('refused     the data give target');
    await writeFile(`${folder}/fed.crob`, aside('3').replace('input target', 'input gsd: f32[B, 2]; input target'));
    const more = await run(['train', 'fed.crob', '--dry-run']);
    expect(more.err).toMatch(
      /^crobc: Net with recipe plain takes gsd: f32\[3, 2\] \(fed.crob:9\), which the data do not have; /,
    );
    await writeFile(`${folder}/fed.crob`, aside('3').replaceAll('Conv2d(3', 'Conv2d(4').replace('B, 3, H', 'B, 4, H'));
    const bands = await run(['train', 'fed.crob', '--dry-run']);
    expect(bands.err).toMatch(/^crobc: Net takes images of 4 bands, .* \(image is declared at fed.crob:4\)\n$/);
  });

  test('says what recomputing modules saves, where tensors are freed after their last use', async () => {
    const micro = [
      resolve('models/crobim.crob'),
      '--model',
      'CroBIM_micro',
      '--backend',
      'tfjs',
      '--dry-run',
      '--json',
    ];
    const ran = await Promise.all(
      [[], ['--recompute', 'backbone.layers.*', '--recompute', 'mid.layers.*']].map((more) =>
        crobc(['train', ...micro, ...more], { cwd: folder }),
      ),
    );
    const [kept, again] = ran.map(({ out }) => JSON.parse(out).memory.total as number);
    expect(again).toBeLessThan(0.8 * kept!);
  });

  test('says what a GPU of some memory has room for, and proposals hold', async () => {
    const micro = ['train', resolve('models/crobim.crob'), '--model', 'CroBIM_micro', '--dry-run', '--json'];
    const plan = async (...args: string[]) => {
      const { code, out } = await crobc([...micro, '--device-memory', '1.6GiB', ...args], { cwd: folder });
      expect(code).toBe(0);
      return JSON.parse(out) as { device: DeviceNeed; memory: DryRun['memory'] };
    };
    const { device, memory } = await plan('--batch-size', '16');
    expect(device).toMatchObject({ fits: false, available: Math.floor(1.6 * 2 ** 30) - 2 ** 30, unknown: null });
    const { total, working } = memory;
    expect(device.needed).toBe(
      total - working + Math.ceil(ARENA.step * working) + device.evaluation + device.workspaces,
    );
    expect(device.proposals.length).toBeGreaterThan(0);
    for (const { options, needed, batch, accumulate, replaces } of device.proposals) {
      expect(batch * accumulate).toBe(16);
      expect(replaces).toEqual(batch === 16 ? [] : ['--batch-size 16']);
      const words = options.replaceAll("'", '').split(' ');
      const again = await plan(...words, ...(batch === 16 ? ['--batch-size', '16'] : []));
      expect(again.device).toMatchObject({ fits: true, needed, proposals: [] });
    }
    const text = await crobc(['train', 'learner.crob', '--dry-run', '--device-memory', '24GiB', '--batch-size', '1'], {
      cwd: folder,
    });
    expect(text.out).toMatch(
      /\nmemory {6}about [\d.]+ [KM]iB on the GPU, which has 23\.0 GiB free of 24\.0 GiB: it fits\n/,
    );
    expect(text.out).toMatch(/\n {2}evaluation [\d.]+ KiB\n {2}workspaces [\d.]+ MiB, of cuBLAS and /);
  });

  test.each([
    [['--device-memory', '24'], 'It is not a size with its unit, such as 24GiB or 80GB.'],
    [['--device-memory', '24GiB'], '--device-memory is not for --device cpu'],
    [['--device-memory', '24GiB', '--backend', 'tfjs'], '--device-memory is not for --backend tfjs'],
  ])('refuses %j', async (args, message) => {
    const ran = await train(['--dry-run', ...args]);
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toContain(message);
  });

  test('plans the memory of a GPU alone', async () => {
    const ran = await train(['--device-memory', '24GiB']);
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toContain('--device-memory is for --dry-run: a training asks the GPU itself');
  });

  test('as JSON, also without data', async () => {
    const ran = await crobc(['train', 'learner.crob', '--dry-run', '--json'], { cwd: folder });
    expect(ran).toMatchObject({ code: 0, err: '' });
    const found = JSON.parse(ran.out);
    expect(found).toMatchObject({
      model: 'Learner',
      parameters: { trained: 20872, fixed: 0, unreached: 0, inference: 0, buffers: 0 },
    });
    const settings = new Map(found.settings.map(({ name, ...rest }: { name: string }) => [name, rest]));
    expect(settings.get('term ce')).toEqual({ value: 'cross_entropy(logits, target)', source: 'learner.crob:19' });
    expect(settings.get('ema')).toEqual({ value: null, source: 'default' });
    expect(settings.get('protocol')).toEqual({ value: 'lavt', source: 'default' });
    expect(settings.get('start_from')).toEqual({ value: null, source: 'default' });
    expect(settings.get('evaluate_every')).toEqual({ value: 20, source: 'learner.crob:23' });
    const { state, gradients, working, total, process } = found.memory;
    expect(state).toEqual({ weight: 83488, moment: 83488, variance: 83488 });
    expect(gradients).toBe(83488);
    expect(total).toBe(3 * 83488 + working);
    expect(process).toBe(total + 2 ** 28);
    expect(found.device).toBeNull();
    const tfjs = await crobc(['train', 'learner.crob', '--backend', 'tfjs', '--dry-run', '--json'], { cwd: folder });
    const other = JSON.parse(tfjs.out);
    expect(other.memory.process).toBeUndefined();
    // Small weights are updated one by one there.
    expect(other.operators).toBeGreaterThan(found.operators);
    expect(other.parameters).toEqual(found.parameters);
    // The gradient of the table is there when its norm is taken; its update needs a few more of its size.
    expect(working).toBeGreaterThan(83488);
    expect(working).toBeLessThan(5 * 83488);
    expect(other.memory.working).toBeGreaterThan(83488);
    expect(other.memory.working).toBeLessThan(3 * 83488);
  });
});
