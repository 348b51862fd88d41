// slow: compiles the program, again and again

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { v8Settings } from '../../cli/v8-settings.ts';
import { crobcProcess, wrong } from './crobc.ts';

const root = mkdtempSync(join(tmpdir(), 'crobc-bundle-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** An installation of one's own, as `compiled` is shared by all that run from one. */
const program = join(root, 'dist/bin/crobc.cjs');
const compiled = join(root, 'dist/bin/compiled');
const source = join(root, 'wrong.crob');

beforeEach(() => {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  mkdirSync(join(root, 'dist'));
  cpSync('dist/library', join(root, 'dist/library'), { recursive: true });
  cpSync('dist/bin', join(root, 'dist/bin'), { recursive: true });
  rmSync(compiled, { recursive: true, force: true });
  cpSync('package.json', join(root, 'package.json'));
  for (const name of ['stdlib', 'node_modules']) {
    rmSync(join(root, name), { force: true, recursive: true });
    symlinkSync(resolve(name), join(root, name));
  }
  writeFileSync(source, wrong);
});

/** What is right is not known from a cache: this file is wrong, and all that is said of it is compared. */
const check = () => crobcProcess(['check', source], { main: program });

/** The files that were kept, with their times. */
function kept(): ReadonlyMap<string, number> {
  const [state, ...others] = readdirSync(compiled);
  expect(others).toEqual([]);
  const folder = join(compiled, state!);
  return new Map(readdirSync(folder).map((name) => [join(folder, name), statSync(join(folder, name)).mtimeMs]));
}

describe('what V8 compiled is kept beside the program', () => {
  it('by the first run, and the next one uses it and writes nothing', async () => {
    const first = await check();
    expect(first).toMatchObject({ code: 1, err: '' });
    expect(first.out).toContain('CROB2009');
    const files = kept();
    expect([...files.keys()].map((path) => path.split('/').at(-1))).toEqual(
      expect.arrayContaining(['main.cjs', 'check.cjs']),
    );
    expect(await check()).toEqual(first);
    expect(kept()).toEqual(files);
  });

  it.each<[string, (data: Buffer) => Buffer]>([
    ['damaged', (data) => Buffer.from(data.map((byte, i) => (i > 100 && i % 501 === 0 ? byte ^ 0x55 : byte)))],
    ['cut short', (data) => data.subarray(0, data.length / 2)],
    ['empty', () => Buffer.alloc(0)],
    ['of another source', (data) => Buffer.from(data.map((byte, i) => (i < 4 ? byte ^ 1 : byte)))],
  ])('and made anew where it is %s', async (_, change) => {
    const first = await check();
    const before = [...kept().keys()].map((path) => [path, readFileSync(path).length] as const);
    for (const [path] of before) writeFileSync(path, change(readFileSync(path)));
    expect(await check()).toEqual(first);
    // What is compiled lazily differs by a little from run to run.
    for (const [path, length] of before) expect(readFileSync(path).length).toBeGreaterThan(0.9 * length);
  });

  it('and is no part of a run where nothing can be written', async () => {
    const first = await check();
    rmSync(compiled, { recursive: true });
    writeFileSync(compiled, 'a file where the folder would be');
    expect(await check()).toEqual(first);
  });

  it('for eight states of Node.js and no more', async () => {
    for (let i = 0; i < 8; i++) mkdirSync(join(compiled, `x64-${i}`), { recursive: true });
    await check();
    expect(readdirSync(compiled)).toHaveLength(8);
  });
});

it('a check needs no package: each would have to be found and read', async () => {
  const all = await check();
  rmSync(join(root, 'node_modules'));
  expect(await check()).toEqual(all);
});

it('a library file is read anew where it was changed after the build', async () => {
  rmSync(join(root, 'stdlib'));
  cpSync('stdlib', join(root, 'stdlib'), { recursive: true, preserveTimestamps: true });
  writeFileSync(source, 'use std.drop.{DropPath}\n');
  expect(await check()).toMatchObject({ code: 0, err: '' });
  const library = join(root, 'stdlib/drop.crob');
  writeFileSync(library, readFileSync(library, 'utf8').replaceAll('DropPath', 'DropRoute'));
  expect((await check()).out).toContain('CROB2002');
});

it('a check reads the syntax trees of the library files that it needs, and no others', async () => {
  writeFileSync(source, 'use std.drop.{DropPath}\n');
  const trees = join(root, 'dist/library');
  writeFileSync(join(trees, 'mattnet.json'), 'not JSON');
  expect(await check()).toMatchObject({ code: 0, err: '', out: '' });
  writeFileSync(join(trees, 'drop.json'), 'not JSON');
  expect(await check()).not.toMatchObject({ code: 0 });
});

describe.skipIf(process.platform === 'win32')('what others can write is not run', () => {
  /** What another user would put there: valid code of another program, whose sums fit the source. */
  const poison = () => {
    for (const path of kept().keys()) if (path.endsWith('main.cjs')) plant(path);
  };
  const loosened: readonly [string, (files: readonly string[]) => readonly string[]][] = [
    ['a file', (files) => files],
    ['the folder of a state', (files) => [dirname(files[0]!)]],
    ['the folder of all states', () => [compiled]],
  ];
  it.each(loosened)('where %s is writable by all', async (_, which) => {
    const first = await check();
    const files = [...kept().keys()];
    poison();
    // The planted code is what runs as long as nobody else can have put it there, so that this test would see it.
    expect((await check()).code).toBe(42);
    for (const path of which(files)) chmodSync(path, statSync(path).mode | 0o022);
    expect(await check()).toEqual(first);
  });

  it.skipIf(process.getuid?.() !== 0)('where a file belongs to someone else', async () => {
    const first = await check();
    poison();
    expect((await check()).code).toBe(42);
    for (const path of kept().keys()) chownSync(path, 12345, 12345);
    expect(await check()).toEqual(first);
  });
});

/** Compiled code of the same length of source, as V8 looks at no more of it, that ends the process with 42. */
function plant(path: string): void {
  const file = readFileSync(path);
  const length = readFileSync(join(root, 'dist/bin/main.cjs')).length;
  const evil = '(function () { process.exit(42) })';
  const script = `const { Script } = require('node:vm'); const { crc32 } = require('node:zlib'); const fs = require('node:fs');
    const script = new Script(${JSON.stringify(evil)}.padEnd(${length}), { filename: 'x' });
    script.runInThisContext();
    const data = script.createCachedData();
    const sums = Buffer.from(${JSON.stringify(file.subarray(0, 4).toString('hex'))}, 'hex');
    const sum = Buffer.alloc(4); sum.writeUInt32LE(crc32(data));
    fs.writeFileSync(${JSON.stringify(path)}, Buffer.concat([sums, sum, data]));`;
  const settings = v8Settings()
    .map((flag) => `require('node:v8').setFlagsFromString(${JSON.stringify(flag)});`)
    .join('');
  execFileSync(process.execPath, ['-e', settings + script]);
}
