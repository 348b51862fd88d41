import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Signals, StopSignal } from '../../runtime/process/signals.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, crobcProcess, tiny, wrong } from './crobc.ts';
import { learner, writeDataset } from './training-data.ts';

const at = temporaryFolder();
beforeAll(async () => {
  await writeFile(at('tiny.crob'), tiny);
  await writeFile(at('wrong.crob'), wrong);
});

/** A clock that goes on by so many milliseconds at each look. */
function stepping(milliseconds: number) {
  let time = 0;
  return {
    now: () => {
      time += milliseconds;
      return time;
    },
  };
}

describe('a run in this process', () => {
  test.each([
    '--version',
    '--help',
    'help train',
    'chekc',
    'check wrong.crob',
    'check tiny.crob --guards',
    'check wrong.crob --reporter json',
    'summary tiny.crob --seed 1',
    'describe tiny.crob nowhere',
    'explain 2104',
    'train tiny.crob',
  ])('gives what a process of its own gives: %s', async (line) => {
    const [cwd, args] = [at('.'), line.split(' ')];
    expect(await crobc(args, { cwd })).toEqual(await crobcProcess(args, { cwd }));
  });

  test('leaves nothing behind for the next', async () => {
    const cwd = at('.');
    const first = await crobc(['summary', 'tiny.crob', '--set', 'B=2', '--json'], { cwd });
    await crobc(['summary', 'tiny.crob', '--wide'], { cwd });
    await crobc(['summary', 'tiny.crob', '--set', 'B=0'], { cwd });
    expect(await crobc(['summary', 'tiny.crob', '--set', 'B=2', '--json'], { cwd })).toEqual(first);
  });

  test('shows the times of its clock', async () => {
    const ran = await crobc(['build', 'tiny.crob', '-o', 'clock'], { cwd: at('.'), clock: stepping(1250) });
    expect(ran.out).toMatch(/^Tiny: [^\n]* nodes, 1\.3 s\n/);
  });

  test('is as wide as its terminal, and has the colours that its environment asks for', async () => {
    const cwd = at('.');
    const narrow = await crobc(['summary', 'tiny.crob', '--set', 'B=1,H=32,W=32,T=8'], { cwd, columns: 70 });
    expect(Math.max(...narrow.out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(70);
    const onTerminal = await crobc(['check', 'wrong.crob'], { cwd, columns: 70 });
    expect(onTerminal.out).toContain('\u001b[');
    const plain = await crobc(['check', 'wrong.crob'], { cwd, columns: 70, env: { NO_COLOR: '1' } });
    expect(plain.out).not.toContain('\u001b[');
  });

  test('shows progress on its terminal', async () => {
    const options = {
      cwd: at('.'),
      columns: 60,
      env: { CROBC_PROGRESS: undefined, NO_COLOR: '1' },
      clock: stepping(700),
    };
    const { err } = await crobc(['build', 'tiny.crob', '-o', 'shown'], options);
    expect(err).toContain('\r\u001b[2Kcompiling tiny.crob …');
    expect(err).toMatch(/weights [^\r]*\d+%/);
  });

  test.each([
    ['none', 'note: CROBC_PROGRESS is none, which means nothing: `off` turns progress off\n'],
    ['off', ''],
    ['', ''],
  ])('notes that CROBC_PROGRESS=%s means nothing, where it does', async (wish, note) => {
    const { code, err } = await crobc(['check', 'tiny.crob'], { cwd: at('.'), env: { CROBC_PROGRESS: wish } });
    expect([code, err]).toEqual([0, note]);
  });

  test('stops at a signal that it is sent', async () => {
    const cwd = at('.');
    await writeDataset(at('data'));
    await writeFile(at('learner.crob'), learner);
    const handlers = new Map<StopSignal, () => void>();
    const ended: number[] = [];
    const signals: Signals = {
      on: (signal, handler) => void handlers.set(signal, handler),
      off: (signal) => void handlers.delete(signal),
      end: (status) => void ended.push(status),
    };
    const args = ['train', 'learner.crob', '--data', 'data', '--device', 'cpu', '--threads', '1', '-o', 'stopped'];
    const running = crobc(args, { cwd, signals });
    const log = at('stopped/metrics.jsonl');
    while (!existsSync(log) || statSync(log).size === 0) await turn();
    handlers.get('SIGINT')!();
    handlers.get('SIGINT')!();
    const { code, err } = await running;
    expect(code).toBe(130);
    expect(err).toContain('SIGINT: finishing the step and saving it; once more ends at once\n');
    expect(err).toContain(`stopped by SIGINT; to go on: crobc ${args.join(' ')} --resume\n`);
    expect(ended).toEqual([130]);
    expect(handlers.size).toBe(0);
  });
});

/** Files that deal with the process itself, and what for. */
const ofProcess: Readonly<Record<string, string>> = {
  'cli/crobc.ts': 'the program: ends the process',
  'cli/main.ts': 'what the program runs: words, streams that break, the exit code',
  'cli/process-io.ts': 'the process as what commands run with',
  'runtime/ort/c-api/device.ts': 'its end, before which native objects are released',
  'runtime/process/signals.ts': 'its signals',
  'runtime/process/surroundings.ts': 'the process as what a run is in',
};

test('streams, environment, folder, words and end of the process are read in one place each', () => {
  const direct = /\bprocess\.(stdout|stderr|stdin|env|cwd|chdir|argv|exit|exitCode|on|off)\b/;
  // Libraries that a process loads once, with the variables that are theirs.
  const loaders = [
    ...['runtime/tfjs/load.ts', 'runtime/ort/short-command-line.ts', 'runtime/ort/nvidia-driver.ts'],
    'runtime/ort/ready-cuda.ts',
  ];
  const files = ['cli', 'runtime'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  const found = files.filter((file) => {
    if (!file.endsWith('.ts')) return false;
    // Scripts that doctor starts are text here.
    const code = readFileSync(file, 'utf8').replace(
      /^.*"const say = .*$|^const \[.*\] = process\.argv.*$|require\(process\.argv\[1\]\)/gm,
      '',
    );
    return direct.test(code);
  });
  expect(found.sort()).toEqual([...Object.keys(ofProcess), ...loaders].sort());
});

/** Tests of the command line that start processes, and why a run in this process does not do. */
const processes: Readonly<Record<string, string>> = {
  'test/cli/build.test.ts': 'a disk that is full',
  'test/cli/build-tfjs.test.ts': 'a script of the repository',
  'test/cli/bundle.test.ts': 'what a process keeps for the next, in an installation of its own',
  'test/cli/check-watch.test.ts': 'files that change, and signals that end it',
  'test/cli/ci.test.ts': 'steps of workflows, which a shell runs',
  'test/cli/completion.test.ts': 'a script for a shell',
  'test/cli/crobc.ts': 'runs crobc in a process for those of this list',
  'test/cli/demo.test.ts': 'the demo, a program of its own',
  'test/cli/diff.test.ts': 'git, whose revisions are compared',
  'test/cli/eval.test.ts': 'scripts of the repository',
  'test/cli/failing-disk.ts': 'system calls that fail, put in place before anything loads',
  'test/cli/low-limits.test.ts': 'limits that hold for a process',
  'test/cli/odd-names.test.ts': 'a standard output that takes nothing',
  'test/cli/other.test.ts': 'a pipe whose reader goes away',
  'test/cli/predict-scene.test.ts': 'a disk that is full',
  'test/cli/predict.test.ts': 'a command line that is too long for a library',
  'test/cli/run.test.ts': 'compares the two',
  'test/cli/served.ts': 'servers that answer while their process runs, and signals that end them',
  'test/cli/train.test.ts': 'signals that end it, and a disk that is full',
  'test/docs/page.ts': 'lines with a pipe, which a shell runs',
};

test('all else of the command line is tested in process', () => {
  const files = ['test/cli', 'test/docs'].flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const starting = files.filter((file) => /node:child_process|\bcrobcProcess\b/.test(readFileSync(file, 'utf8')));
  expect(starting.sort()).toEqual(Object.keys(processes).sort());
});
