import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { dataFolder } from '../runtime/data/data-folder.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { main } from './crobc.ts';

/** Where the commands run, in the file that calls `failingDisk`. */
let at: (name: string) => string;
const run = promisify(execFile);
const preload = resolve('test/cli/failing-disk.cjs');

/** Prepares a folder for the tests of a file. */
export function failingDisk(): void {
  at = temporaryFolder();
  beforeAll(async () => {
    writeFileSync(
      at('tiny.crob'),
      `model Tiny {
  patch = Conv2d(3, 1, 4, stride = 4)
  input image: f32[B, 3, 32, 32]
  output y = resize(patch(image), [32, 32])
}

recipe short for Tiny at B = 2 {
  input target: f32[B, 1, 32, 32]
  term loss = mean(square(y - target), "b c h w ->")
  optimizer = SGD(lr = 1e-3)
  steps = 2
}
`,
    );
    mkdirSync(at('data'));
    await dataFolder(at('data'), ['a.png', 'b.png', 'c.png']);
  });
}

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs crobc where one call of the file system fails. */
async function failing(code: string, call: number, words: readonly string[], only = ''): Promise<Ended> {
  const env = { ...process.env, CROBC_FAIL: `${code} ${call} ${only}`.trim(), CROBC_FAIL_BELOW: at('') };
  return run(process.execPath, ['--require', preload, main, ...words], { env }).then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      out: error.stdout,
      err: error.stderr,
    }),
  );
}

/** Commands, and every which call is made to fail in the long tests: all, where there are few. */
const commands: readonly (readonly [name: string, every: number, words: () => string[]])[] = [
  ['check', 1, () => ['check', at('tiny.crob')]],
  ['fmt', 1, () => ['fmt', '--check', at('tiny.crob')]],
  ['data vocab', 1, () => ['data', 'vocab', at('data'), '-o', at('vocab.txt')]],
  ['build', 4, () => ['build', at('tiny.crob'), '-o', at('out')]],
  ['data check', 4, () => ['data', 'check', at('data')]],
  [
    'predict',
    12,
    () => ['predict', at('tiny.crob'), '-i', at('data/img_rgb/a.png'), '--device', 'cpu', '-o', at('out')],
  ],
  ['data stats', 4, () => ['data', 'stats', at('data')]],
  [
    'eval',
    25,
    () => ['eval', at('tiny.crob'), '-d', at('data'), '--split', 'train', '--device', 'cpu', '-o', at('out')],
  ],
  ['train', 25, () => ['train', at('tiny.crob'), '-d', at('data'), '--device', 'cpu', '-o', at('out')]],
];

const codes = ['EIO', 'EMFILE', 'ESTALE'];

/** The numbers from 1 to `last`, each `step` above the one before. */
const everyNth = (last: number, step: number) => Array.from({ length: Math.ceil(last / step) }, (_, i) => 1 + i * step);

/** Makes a share of these calls fail, such as every fourth. */
export function callsThatFail(share: number): void {
  test.each(commands)(
    '%s: a call that fails is one line, wherever it is',
    async (name, every, words) => {
      const clear = () => rmSync(at('out'), { recursive: true, force: true });
      const { err } = await failing('EIO', 0, words());
      const calls = Number(/^calls (\d+)$/m.exec(err)?.[1]);
      expect(calls).toBeGreaterThan(2);
      let refused = 0;
      const chosen = everyNth(calls, every * share);
      // Some calls may fail without harm, such as one that looks for a cache.
      for (const [i, call] of [...chosen, ...everyNth(calls, every)].entries()) {
        if (i >= chosen.length && refused > 0) break;
        const code = codes[refused % codes.length]!;
        clear();
        const ended = await failing(code, call, words());
        const text = `${name}, call ${call}, ${code}: ${ended.err}`;
        expect(ended.code, text).toBeLessThanOrEqual(1);
        expect(ended.err, text).not.toMatch(/^ {4}at |bug in crobc|This is a bug/m);
        if (ended.code === 0) continue;
        refused++;
        // `data check` says it of the picture, with its results; a source is read again for the reason, which has gone by then.
        expect(ended.out + ended.err, text).toMatch(
          /^[^\n]*(input\/output error|too many open files|stale file handle|it changed meanwhile)[^\n]*$/m,
        );
      }
      expect(refused).toBeGreaterThan(0);
    },
    120_000,
  );
}

/** Commands that give what they write its name. */
const renaming = commands.filter(([name]) => ['data vocab', 'build', 'predict', 'eval', 'train'].includes(name));

/** Makes names fail that commands give to what they write. */
export function namesThatFail(): void {
  test.each(renaming)(
    '%s: a name that may not be given is one line, and nothing is left half written',
    async (name, _, words) => {
      const clear = () => {
        for (const made of ['out', 'vocab.txt']) rmSync(at(made), { recursive: true, force: true });
      };
      clear();
      const { err } = await failing('EACCES', 0, words(), 'rename');
      const calls = Number(/^calls (\d+)$/m.exec(err)?.[1]);
      expect(calls).toBeGreaterThan(0);
      for (let call = 1; call <= calls; call += Math.ceil(calls / 4)) {
        clear();
        const ended = await failing('EACCES', call, words(), 'rename');
        const text = `${name}, rename ${call} of ${calls}: ${ended.err}`;
        expect(ended.code, text).toBeLessThanOrEqual(1);
        expect(ended.err, text).not.toMatch(/^ {4}at |bug in crobc|This is a bug/m);
        if (ended.code === 1) expect(ended.err, text).toMatch(/^crobc: cannot write [^\n]+: permission denied$/m);
      }
    },
    240_000,
  );
}
