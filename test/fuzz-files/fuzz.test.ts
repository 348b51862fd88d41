// slow: thousands of files

import { fork } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import type { OpenReader } from './reader.ts';
import { type ReaderName, readerNames, readers } from './readers/index.ts';
import { changedFile, trial } from './trial.ts';
import { watch } from './watch.ts';

const inFolder = temporaryFolder();

/** Those whose files take long; the others have more of them. */
const few: readonly ReaderName[] = ['jpeg', 'tiff', 'geotiff', 'webp', 'png', 'sizes'];

describe.each(readerNames)('files of the reader %s', (name) => {
  const open = async (folder: string): Promise<OpenReader> => {
    mkdirSync(inFolder(folder));
    return readers[name].open(inFolder(folder));
  };

  test('are read where nothing is wrong with them', async () => {
    const opened = await open(`${name}-samples`);
    // A lock that another machine holds is none of those that are read through.
    for (const sample of opened.samples) {
      writeFileSync(opened.path, sample);
      const lines: string[] = [];
      const read = opened.read((line) => lines.push(line));
      if (name === 'lock') await read.catch((error: Error) => expect(error.name).toBe('UserError'));
      else await expect(read.then(() => lines)).resolves.toEqual([]);
    }
  });

  test('end in a value or in one line where something is', async () => {
    const opened = await open(`${name}-changed`);
    const counts = { accepted: 0, refused: 0 };
    for (let number = 1; number <= (few.includes(name) ? 60 : 200); number++) {
      const outcome = await trial(opened, number);
      if (outcome.kind === 'fault') expect.fail(`file ${number}: ${outcome.message}`);
      counts[outcome.kind]++;
    }
    expect(counts.accepted + counts.refused).toBeGreaterThan(0);
  });

  test('are the same for the same number', async () => {
    const opened = await open(`${name}-same`);
    const numbers = Array.from({ length: 20 }, (_, i) => i);
    const all = () => numbers.map((number) => changedFile(opened, number).toString('latin1'));
    expect(all()).toEqual(all());
    expect(new Set(all()).size).toBeGreaterThan(10);
  });
});

describe('what is a fault', () => {
  const reader = (read: OpenReader['read']): OpenReader => ({
    path: inFolder('any'),
    samples: [Buffer.from('abc')],
    read,
  });
  class UserError extends Error {}

  it.each<[string, unknown, RegExp]>([
    ['another error', new TypeError('x is not a function'), /^TypeError: x is not a function\n/],
    ['text', 'thrown', /^thrown$/],
    ['a class of that name', new UserError('no'), /^Error: no/],
  ])('%s', async (_, error, message) => {
    const outcome = await trial(
      reader(() => Promise.reject(error)),
      1,
    );
    expect(outcome).toEqual({ kind: 'fault', message: expect.stringMatching(message) });
  });

  it.each<[string, string, string]>([
    ['a line without the file', 'cannot read it', 'the message does not name the file'],
    ['a long one', `FILE ${'x'.repeat(1001)}`, 'the message has 1002 characters'],
    ['undefined', 'FILE has undefined', 'the message is unclear'],
    ['an object', 'FILE has [object Object]', 'the message is unclear'],
    ['a trace', 'FILE is wrong\n    at a (b.ts:1:2)', 'the message has a stack trace'],
  ])('%s', async (_, line, why) => {
    const opened = reader(async (report) => report(line.replace('FILE', inFolder('any'))));
    expect(await trial(opened, 1)).toMatchObject({ kind: 'fault', message: expect.stringContaining(why) });
  });

  it('nothing else', async () => {
    expect(
      await trial(
        reader(async () => undefined),
        1,
      ),
    ).toEqual({ kind: 'accepted' });
    expect(
      await trial(
        reader(async (report) => report(`${inFolder('any')} is "undefined"`)),
        1,
      ),
    ).toMatchObject({
      kind: 'refused',
    });
  });
});

test('a process that ends, hangs, or takes too much memory is known by its file, and the others are read', async () => {
  const program = inFolder('work.mjs');
  const source = `
    import { writeFileSync } from 'node:fs';
    const [from, to, place] = process.argv.slice(2);
    const keep = (number, memory) =>
      writeFileSync(place, JSON.stringify({ number, accepted: number - from, refused: 0, memory, longest: 1 }));
    for (let number = Number(from); number < Number(to); number++) {
      keep(number, 100);
      if (number === 3) process.exit(7);
      if (number === 5) for (;;);
      if (number === 7) { keep(number + 1, 2000); await new Promise((done) => setTimeout(done, 10_000)); }
    }
    keep(Number(to), 100);
    process.disconnect();`;
  writeFileSync(program, source);
  const found = await watch([{ reader: 'any', from: 0, to: 10 }], {
    jobs: 1,
    patience: 1500,
    start: ({ from, to }, place) => fork(program, [String(from), String(to), place], { execArgv: [] }),
    memory: () => 1000,
    progress: () => undefined,
  });
  expect(found.get('any')).toMatchObject({
    files: 10,
    faults: [
      { number: 3, message: 'the process ends with 7' },
      { number: 5, message: 'it is not read within 1.5 s' },
      { number: 7, message: 'the process has 0 MB' },
    ],
    // Of each process, those before its fault; the file that took the memory was read.
    accepted: 3 + 1 + 2 + 2,
  });
});
