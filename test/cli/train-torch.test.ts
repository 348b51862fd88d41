// slow: compiles trainings, and starts a program for each

import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Signals, StopSignal } from '../../runtime/process/signals.ts';
import { CheckpointStore } from '../../runtime/training/checkpoint.ts';
import { SafetensorsFile } from '../../runtime/weights/safetensors.ts';
import { openRecord } from '../../runtime/weights/trained-record.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { type CallOptions, crobc } from './crobc.ts';
import { wholeReport, writeFakePython } from './fake-python.ts';
import { learner, writeDataset } from './training-data.ts';

const at = temporaryFolder();
let made = 0;

/** A run in a folder of its own by a program with this body. */
async function trained(script: string, words: readonly string[] = [], options: CallOptions = {}) {
  const cwd = at(`case-${made++}`);
  await mkdir(cwd);
  await writeFile(`${cwd}/learner.crob`, learner);
  await writeFakePython(`${cwd}/python`, script);
  const args = ['train', 'learner.crob', '--data', 'data', '--backend', 'torch', '--python', './python', '-o', 'run'];
  return { cwd, args, ...(await crobc([...args, ...words], { cwd, ...options })) };
}

const whole = `
  say(start);
  say('printed by an edited recipe');
  say({ event: 'note', text: 'a note' });
  say(step(1));
  say(step(2));
  say({ event: 'evaluating', done: 1, of: 2 });
  say({ event: 'evaluated', step: 2, score: 0.25, figures: { mIoU: 0.25, oIoU: null } });
  const best = { step: 2, score: 0.25 };
  say({ event: 'end', end: 'done', progress: { ...after(2), best, evaluated: 2 } });
`;

describe('a run by a PyTorch program', () => {
  test('ends with the result that the program reports', async () => {
    const { cwd, code, out, err } = await trained(whole);
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('printed by an edited recipe\na note\n') });
    expect(out).toBe(
      [
        'Learner with recipe quick on cpu: done after step 2 of 2, 1 s',
        '  loss        0.5000',
        '  best        mIoU 0.2500 at step 2: run/best.safetensors',
        '  last        run/last.safetensors',
        '  checkpoint  run/checkpoints/step-00000002',
        '  metrics     run/metrics.jsonl',
        '  events      run/events (tensorboard --logdir run/events)',
        '  vocabulary  v.txt\n',
      ].join('\n'),
    );
    const [events] = await readdir(`${cwd}/run/events`);
    const log = await readFile(`${cwd}/run/events/${events}`, 'latin1');
    for (const tag of ['train/loss', 'train/ce', 'train/learning_rate', 'evaluation/mIoU']) expect(log).toContain(tag);
    expect(existsSync(`${cwd}/run/.lock`)).toBe(false);
  });

  test('prints the result as JSON', async () => {
    const { code, out } = await trained(whole, ['--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ model: 'Learner', end: 'done', step: 2, steps: 2, seconds: 1, loss: 0.5 });
  });

  test('writes the package with the weights of the seed, and passes the options on', async () => {
    const options = ['--seed', '7', '--threads', '2', '--decode-threads', '0', '--truncation', 'plain', '--no-phrases'];
    const more = ['--on-bad', 'skip', '--on-size-mismatch', 'resize', '--crob-draws', '--precision', 'bf16'];
    const { cwd, code } = await trained(whole, [...options, ...more, '--device', 'cpu']);
    expect(code).toBe(0);
    const words = JSON.parse(await readFile(`${cwd}/words.json`, 'utf8'));
    expect(words).toEqual([
      'run/program/train.py',
      ...['--data=data', '--out=run', '--device=cpu', '--precision=bf16', '--threads=2', '--workers=0'],
      ...['--truncation=plain', '--on-bad=skip', '--on-size-mismatch=resize'],
      ...['--lines', '--crob-draws', '--no-phrases'],
    ]);
    const recipe = JSON.parse(await readFile(`${cwd}/run/program/recipe.json`, 'utf8'));
    expect(recipe.identity).toMatchObject({
      model: 'Learner',
      seed: 7,
      recipe: { steps: 40, B: 2, precision: 'bf16' },
    });
    const own = await SafetensorsFile.open(`${cwd}/run/program/Learner.safetensors`);
    expect([...own.tensors.keys()].sort()).toEqual(['patch.bias', 'patch.weight', 'table.weight']);
    await own.close();
  });

  test('starts several processes at a port of this machine', async () => {
    const { cwd, code } = await trained(whole, ['--processes', '2', '--fsdp']);
    expect(code).toBe(0);
    const words = JSON.parse(await readFile(`${cwd}/words.json`, 'utf8'));
    expect(words.slice(0, 5)).toEqual([
      ...['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node=2'],
      'run/program/train.py',
    ]);
    expect(words).toContain('--fsdp');
  });
});

describe('a run that fails', () => {
  test('prints the error of the program', async () => {
    const { code, err } = await trained(
      "say(start); say({ event: 'error', text: 'data:3: the mask is damaged' }); process.exitCode = 1;",
    );
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('crobc: data:3: the mask is damaged\n') });
  });

  test('names what the program raised, and its log', async () => {
    const { cwd, code, err } = await trained(
      "console.error('Traceback (most recent call last):\\nRuntimeError: no luck'); process.exitCode = 3;",
    );
    expect({ code, err }).toEqual({
      code: 1,
      err: 'crobc: the training program ended with code 3: RuntimeError: no luck; run/program.log has what it printed\n',
    });
    expect(await readFile(`${cwd}/run/program.log`, 'utf8')).toContain('Traceback');
    expect(existsSync(`${cwd}/run/.lock`)).toBe(false);
  });

  test('names the signal by which the program was ended', async () => {
    const { code, err } = await trained("say(start); process.kill(process.pid, 'SIGKILL');");
    expect(code).toBe(1);
    expect(err).toContain('crobc: the training program ended by SIGKILL; run/program.log has what it printed\n');
  });

  test('says so if the program ends too early', async () => {
    const { code, err } = await trained('say(start);');
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringContaining(
        'the training program ended without a result; run/program.log has what it printed\n',
      ),
    });
  });

  test('does not begin over another run', async () => {
    const cwd = at('taken');
    await mkdir(`${cwd}/run/checkpoints/step-00000004`, { recursive: true });
    await writeFile(`${cwd}/learner.crob`, learner);
    await writeFakePython(`${cwd}/python`, whole);
    const words = ['train', 'learner.crob', '--data', 'd', '--backend', 'torch', '--python', './python', '-o', 'run'];
    const { code, err } = await crobc(words, { cwd });
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('run holds a run that came to step 4') });
    expect(existsSync(`${cwd}/run/program`)).toBe(false);
  });
});

/** Signals that a test sends. */
function sent() {
  const handlers = new Map<StopSignal, () => void>();
  const ended: number[] = [];
  const signals: Signals = {
    on: (signal, handler) => void handlers.set(signal, handler),
    off: (signal) => void handlers.delete(signal),
    end: (status) => void ended.push(status),
  };
  return { signals, ended, send: (signal: StopSignal) => handlers.get(signal)!() };
}

describe('a signal', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('%s is passed on to the program, which saves', async (signal) => {
    const { signals, send } = sent();
    const script = `const waiting = setInterval(() => {}, 1000);
      say(start); say(step(1)); say({ event: 'end', end: await stopped, progress: after(1) });
      clearInterval(waiting);`;
    const folder = at(`case-${made}`);
    const running = trained(script, [], { signals });
    // The start has been read when there are events.
    while (!existsSync(`${folder}/run/events`)) await turn();
    send(signal);
    const { code, out, err, args } = await running;
    expect(code).toBe(signal === 'SIGINT' ? 130 : 143);
    expect(err).toContain(`${signal}: finishing the step and saving it; once more ends at once\n`);
    expect(err).toContain(`stopped by ${signal}; to go on: crobc ${args.join(' ')} --resume\n`);
    expect(out).toContain('stopped after step 1 of 2');
  });

  test('before the first step ends the program', async () => {
    const { signals, send } = sent();
    const folder = at(`case-${made}`);
    const running = trained("writeFileSync('begun', String(process.pid)); setInterval(() => {}, 1000);", [], {
      signals,
    });
    while (!existsSync(`${folder}/begun`)) await turn();
    send('SIGTERM');
    const { code, err } = await running;
    expect({ code, err }).toEqual({ code: 143, err: 'SIGTERM: ended before the first step, nothing was saved\n' });
    const pid = Number(await readFile(`${folder}/begun`, 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow();
  });

  test('twice ends the program at once', async () => {
    const { signals, ended, send } = sent();
    const folder = at(`case-${made}`);
    const running = trained('say(start); setInterval(() => {}, 1000);', [], { signals });
    while (!existsSync(`${folder}/run/events`)) await turn();
    send('SIGINT');
    send('SIGINT');
    const { code, err } = await running;
    expect(ended).toEqual([130]);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('ended by SIGKILL') });
  });
});

describe('weights to start from', () => {
  test('give the program their values and their vocabulary', async () => {
    const cwd = at('start');
    await mkdir(cwd);
    await writeFile(`${cwd}/learner.crob`, learner);
    await writeDataset(`${cwd}/data`);
    await writeFile(`${cwd}/own.txt`, await readFile('models/vocab/aerial.txt'));
    await writeFakePython(`${cwd}/python`, whole);
    const before = ['train', 'learner.crob', '--data', 'data', '--device', 'cpu', '--threads', '1', '--steps', '1'];
    expect(await crobc([...before, '--tokenizer', 'own.txt', '-o', 'first'], { cwd })).toMatchObject({ code: 0 });
    const words = ['train', 'learner.crob', '--data', 'data', '--backend', 'torch', '--python', './python'];
    const { code } = await crobc([...words, '-w', 'first/last.safetensors', '-o', 'second'], { cwd });
    expect(code).toBe(0);
    expect(JSON.parse(await readFile(`${cwd}/words.json`, 'utf8'))).toContain(
      '--tokenizer=second/program/vocabulary/own.txt',
    );
    const [held, given] = await Promise.all(
      ['first/last.safetensors', 'second/program/Learner.safetensors'].map((name) =>
        SafetensorsFile.open(`${cwd}/${name}`),
      ),
    );
    expect(await given!.float32('table.weight')).toEqual(await held!.float32('table.weight'));
    await Promise.all([held!.close(), given!.close()]);

    // recipe.json has what makes checkpoints of both programs the same run.
    const recipe = JSON.parse(await readFile(`${cwd}/second/program/recipe.json`, 'utf8'));
    const checkpoint = (await new CheckpointStore(`${cwd}/first`).latest((line) => expect.unreachable(line)))!;
    const { model, seed, recipe: settings, hashes } = checkpoint.identity;
    expect(recipe.identity).toMatchObject({ model, seed, hashes: { model: hashes.model, loss: hashes.loss } });
    expect({ ...recipe.identity.recipe, steps: 1, evaluate_every: 1 }).toEqual({ ...settings, evaluate_every: 1 });
    const record = (await openRecord(`${cwd}/first/last.safetensors`))!;
    expect(recipe.model).toEqual({ ...record.model, overrides: [] });
    expect(recipe.image).toEqual(record.image);
  });
});

describe('options', () => {
  test.each([
    [['--python', './python'], '--python is for --backend torch'],
    [['--processes', '2'], '--processes is for --backend torch'],
    [['--fsdp'], '--fsdp is for --backend torch'],
    [['--crob-draws'], '--crob-draws is for --backend torch'],
    [['--backend', 'torch', '--recompute', 'patch'], '--recompute is not for --backend torch'],
    [['--backend', 'torch', '--bands', '3,2,1'], '--bands is not for --backend torch'],
    [['--backend', 'torch', '--stretch', '2,98'], '--stretch is not for --backend torch'],
    [['--backend', 'torch', '--device', 'webgpu'], '--device webgpu is not for --backend torch'],
    [['--backend', 'torch', '--fsdp'], '--fsdp shards the state over processes'],
  ])('%j is refused', async (words, message) => {
    await writeFile(at('learner.crob'), learner);
    const { code, err } = await crobc(['train', 'learner.crob', '--data', 'd', ...words], { cwd: at('.') });
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(message) });
  });

  test('processes must divide a batch, and have a device each', async () => {
    const { code, err } = await trained(whole, ['--processes', '3']);
    expect({ code, err }).toEqual({
      code: 1,
      err: 'crobc: a batch of 2 does not divide among 3 processes: take a multiple, as by --set B=3\n',
    });
    const cwd = at('one-device');
    await mkdir(cwd);
    await writeFile(`${cwd}/learner.crob`, learner);
    await writeFakePython(`${cwd}/python`, whole, { ...wholeReport, devices: ['A'] });
    const words = ['train', 'learner.crob', '--data', 'd', '--backend', 'torch', '--python', './python'];
    const one = await crobc([...words, '--processes', '2'], { cwd });
    expect(one).toMatchObject({ code: 1, err: expect.stringContaining('there is one CUDA device') });
    await writeFakePython(`${cwd}/python`, whole);
    const none = await crobc([...words, '--device', 'cuda'], { cwd });
    expect(none).toMatchObject({ code: 1, err: expect.stringContaining('finds no CUDA device') });
  });

  test('a dry run says which Python would train', async () => {
    const cwd = at('dry');
    await mkdir(cwd);
    await writeFile(`${cwd}/learner.crob`, learner);
    await writeFakePython(`${cwd}/python`, whole);
    const words = ['train', 'learner.crob', '--backend', 'torch', '--dry-run'];
    const { code, out, err } = await crobc([...words, '--python', './python'], { cwd });
    expect(code).toBe(0);
    expect(err).toContain('./python (Python 3.11.7, PyTorch 2.13.0, the CPU) would train\n');
    expect(out).toContain('Learner with recipe quick\n');
    expect(existsSync(`${cwd}/out`)).toBe(false);
    const without = await crobc([...words, '--python', './nothing'], { cwd });
    expect(without).toMatchObject({ code: 1, out: expect.stringContaining('refused     no Python to train with') });
  });
});
