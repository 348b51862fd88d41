import { spawn } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, main } from './crobc.ts';

const at = temporaryFolder();

const right = (name: string) => `model ${name} {\n  input x: f32[B, 8]\n  output y = x + x\n}\n`;
const wrong = (name: string) => right(name).replace('x + x', 'x + z');
const users = 'use parts.sum.{Sum}\nmodel User extends Sum {\n}\n';

let ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends) end();
  ends = [];
});

/** Starts `crobc check --watch` in a folder, and waits for passes. */
function watching(cwd: string, ...args: string[]) {
  // Both streams in one pipe, for their order.
  const child = spawn('/bin/sh', ['-c', 'exec "$@" 2>&1', 'sh', process.execPath, main, 'check', '--watch', ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  ends.push(() => child.kill('SIGKILL'));
  let shown = '';
  let look = () => {};
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    look();
  });
  const closed = new Promise<number | null>((done) => child.on('close', (code) => done(code)));
  /** Waits for the next pass, and returns its last line and what is before it. */
  const pass = async () => {
    const last = /^checked (.*) in \d+\.\d\d s: (.*); waiting for changes\n/m;
    await new Promise<void>((done) => {
      look = () => {
        if (last.test(shown)) done();
      };
      look();
    });
    const found = last.exec(shown);
    const printed = shown.slice(0, found?.index);
    shown = shown.slice(printed.length + (found?.[0].length ?? 0));
    return { status: `${found?.[1]}: ${found?.[2]}`, printed };
  };
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return closed;
  };
  return { pass, end };
}

test('a change is checked with what depends on it, until a signal', async () => {
  mkdirSync(at('models/parts'), { recursive: true });
  writeFileSync(at('models/parts/sum.crob'), right('Sum'));
  writeFileSync(at('models/other.crob'), right('Other'));
  writeFileSync(at('models/user.crob'), users);
  const { pass, end } = watching(at('models'));
  expect(await pass()).toEqual({ status: '3 files: no errors', printed: '' });

  writeFileSync(at('models/other.crob'), wrong('Other'));
  const { status, printed } = await pass();
  expect(status).toBe('1 of 3 files: 1 error');
  expect(printed).toContain('error[CROB2001]: there is no `z` here\n  other.crob:3:18');
  expect(printed).toContain('1 error in 3 files');

  writeFileSync(at('models/other.crob'), right('Other'));
  expect((await pass()).status).toBe('1 of 3 files: no errors');

  writeFileSync(at('models/parts/sum.crob'), wrong('Sum'));
  expect((await pass()).status).toBe('2 of 3 files: 1 error');

  // As editors save: written aside and renamed. What uses it means the same as before the error.
  writeFileSync(at('models/parts/sum.crob.new'), right('Sum'));
  renameSync(at('models/parts/sum.crob.new'), at('models/parts/sum.crob'));
  expect((await pass()).status).toBe('1 of 3 files: no errors');

  mkdirSync(at('models/more'));
  writeFileSync(at('models/more/new.crob'), wrong('New'));
  expect((await pass()).status).toBe('1 of 4 files: 1 error');

  rmSync(at('models/more/new.crob'));
  expect((await pass()).status).toBe('0 of 3 files: no errors');
  expect(await end('SIGINT')).toBe(130);
});

test('a file that is imported from elsewhere, and one that does not exist yet', async () => {
  mkdirSync(at('own'), { recursive: true });
  writeFileSync(at('own/user.crob'), users);
  const { pass, end } = watching(at('own'), 'user.crob');
  expect((await pass()).status).toBe('1 file: 1 error');
  mkdirSync(at('own/parts'));
  writeFileSync(at('own/parts/sum.crob'), right('Sum'));
  expect((await pass()).status).toBe('1 file: no errors');
  expect(await end('SIGTERM')).toBe(143);
});

test('a lock file, which may change too', async () => {
  mkdirSync(at('locked'));
  writeFileSync(at('locked/one.crob'), right('One'));
  writeFileSync(at('locked/two.crob'), right('Two'));
  const { pass, end } = watching(at('locked'), '--lock');
  const first = await pass();
  expect(first.status).toBe('2 files: 1 error');
  expect(first.printed).toContain('crobc: there is no crob.lock');

  await crobc(['check', '--update-lock'], { cwd: at('locked') });
  expect(await pass()).toEqual({ status: '0 of 2 files: no errors', printed: '\n' });

  writeFileSync(at('locked/one.crob'), right('One').replace('x + x', 'x + x * x'));
  const { status, printed } = await pass();
  expect(status).toBe('1 of 2 files: 1 error');
  expect(printed).toContain('error[CROB2401]: One is not as in crob.lock\n  one.crob:1:7');
  expect(printed).toContain('FLOP: 8*B -> 16*B');

  writeFileSync(at('locked/one.crob'), right('One'));
  expect((await pass()).status).toBe('1 of 2 files: no errors');
  expect(await end('SIGTERM')).toBe(143);
});

test('documents for programs are of one check', async () => {
  const { code, err } = await crobc(['check', '--watch', '--reporter', 'json', 'models/crobim.crob']);
  expect({ code, err }).toEqual({
    code: 2,
    err: 'error: --watch prints for people: leave out --reporter json, or --watch\n',
  });
});
