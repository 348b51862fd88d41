import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { sha256 } from '../../runtime/files/text-hash.ts';
import { holds } from '../property.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc } from './crobc.ts';

const at = temporaryFolder();
const parts = `module Towers(dim: int) {
  words = Linear(dim, dim)
  pixels = Linear(dim, dim)
  forward(x: f32[B, dim]) -> (word: f32[B, dim], pixel: f32[B, dim]) {
    return (word = words(x), pixel = pixels(x))
  }
}
`;
const base = `use parts.{Towers}
model One {
  towers = Towers(8)
  input x: f32[B, 8]
  let (word, pixel) = towers(x)
  output y = word + pixel
}
`;
/** With a note: nothing reads the pixels any longer. */
const variant = 'use one.{One}\nmodel Two extends One {\n  output y = word\n}\n';

const cache = (name = '') => at(join('cache', name));
const check = (...args: string[]) => crobc(['check', '--cache-folder', 'cache', ...args], { cwd: at('.') });
const plain = (...args: string[]) => crobc(['check', ...args], { cwd: at('.') });
const write = (name: string, text: string) => writeFileSync(at(name), text);
const entries = () => readdirSync(cache()).sort();

/** Writes an entry with the hash that belongs to it. */
function rewrite(name: string, change: (body: string) => string) {
  const text = readFileSync(cache(name), 'utf8');
  const body = change(text.slice(text.indexOf('\n') + 1));
  writeFileSync(cache(name), `${sha256(body)}\n${body}`);
}

beforeEach(() => {
  for (const name of readdirSync(at('.'))) rmSync(at(name), { recursive: true });
  write('parts.crob', parts);
  write('one.crob', base);
  write('two.crob', variant);
});

test('an unchanged file is not elaborated again, and has the same messages', async () => {
  const first = await plain();
  expect(first.out).toContain('note[CROB2317]');
  expect(await check()).toEqual(first);
  expect(entries()).toHaveLength(3);
  expect(await check()).toEqual(first);
  for (const reporter of ['json', 'github', 'sarif', 'junit'])
    expect(await check('--reporter', reporter)).toEqual(await plain('--reporter', reporter));
  // What an entry says is what is printed.
  for (const name of entries()) rewrite(name, (body) => body.replace('no output reads', 'kept: no output reads'));
  expect((await check()).out).toBe(first.out.replace('no output reads', 'kept: no output reads'));
});

describe('a result is made again after a change', () => {
  const changes: Readonly<Record<string, () => void>> = {
    'of the file': () => write('two.crob', variant.replace('= word', '= word * pixel')),
    'of a file that it imports': () => write('one.crob', base.replace('word + pixel', 'words')),
    'further below': () => write('parts.crob', parts.replace('pixel: f32[B, dim]', 'pixel: f32[B, dim, 1]')),
    'that removes a file': () => rmSync(at('parts.crob')),
    'of what a module of another file is used for': () => {
      write('one.crob', 'model One {\n  input x: f32[B, 8]\n  output y = x + x\n}\n');
      rmSync(at('two.crob'));
    },
  };
  for (const [name, change] of Object.entries(changes))
    test(name, async () => {
      const before = await check();
      change();
      const now = await plain();
      expect(now).not.toEqual(before);
      expect(await check()).toEqual(now);
      expect(await check()).toEqual(now);
    });

  test('of the file to which a `use` refers', async () => {
    write('two.crob', 'use models.crobim.{CroBIM_micro}\nmodel Two extends CroBIM_micro {\n}\n');
    const before = await check('two.crob');
    mkdirSync(at('models'));
    write('models/crobim.crob', 'model CroBIM_micro {\n  input x: f32[B]\n  output y = x + z\n}\n');
    const now = await plain('two.crob');
    expect(now).not.toEqual(before);
    expect(await check('two.crob')).toEqual(now);
  });
});

test('results with errors are not kept', async () => {
  write('one.crob', base.replace('word + pixel', 'word + pixels'));
  const first = await check();
  expect(first.code).toBe(1);
  // That of the variant, which replaces the wrong output, and that of the modules.
  expect(entries()).toHaveLength(2);
  expect(await check()).toEqual(first);
});

test('a lock is compared with what was kept', async () => {
  await plain('--update-lock');
  const first = await check('--lock');
  expect(first.code).toBe(0);
  expect(await check('--lock')).toEqual(first);
  for (const name of entries())
    rewrite(name, (body) =>
      body.replaceAll('"parameters":144', '"parameters":145').replaceAll(/"graph":"./g, '"graph":"x'),
    );
  const { out } = await check('--lock');
  expect(out).toContain('error[CROB2401]: One is not as in crob.lock');
  expect(out).toContain('parameters: 144 -> 145');
  // Without what a lock needs, the result is made again.
  rmSync(cache(), { recursive: true });
  await check();
  expect(await check('--lock')).toEqual(first);
});

test('a damaged cache changes no result', async () => {
  const first = await plain();
  await check();
  const sound = new Map(entries().map((name) => [name, readFileSync(cache(name))]));
  const damage = fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), where: fc.nat(), bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('cut' as const), where: fc.nat() }),
    fc.record({ kind: fc.constant('other' as const), where: fc.nat() }),
    fc.record({ kind: fc.constant('folder' as const) }),
  );
  await holds(
    fc.asyncProperty(fc.array(damage, { minLength: 3, maxLength: 3 }), async (all) => {
      for (const [i, [name, bytes]] of [...sound].entries()) {
        const one = all[i];
        rmSync(cache(name), { recursive: true, force: true });
        if (one?.kind === 'folder') mkdirSync(cache(name));
        else if (one?.kind === 'cut') writeFileSync(cache(name), bytes.subarray(0, one.where % bytes.length));
        else if (one?.kind === 'other') writeFileSync(cache(name), [...sound.values()][one.where % 3] ?? bytes);
        else if (one?.kind === 'flip') {
          const copy = Buffer.from(bytes);
          const where = one.where % copy.length;
          copy[where] = (copy[where] ?? 0) ^ (1 << one.bit);
          writeFileSync(cache(name), copy);
        }
      }
      const { code, out } = await check();
      expect({ code, out }).toEqual({ code: first.code, out: first.out });
      // A folder in place of an entry stays; what is damaged is replaced.
      for (const [i, [name, bytes]] of [...sound].entries())
        if (all[i]?.kind !== 'folder' && !all.some((one) => one.kind === 'folder'))
          expect(readFileSync(cache(name))).toEqual(bytes);
      for (const name of sound.keys()) rmSync(cache(name), { recursive: true, force: true });
    }),
    { seed: 88, numRuns: 40 },
  );
});

test('the oldest entries are removed', async () => {
  mkdirSync(cache());
  for (let i = 0; i < 2000; i++) {
    writeFileSync(cache(`${i}.json`), '');
    utimesSync(cache(`${i}.json`), 1000 + i, 1000 + i);
  }
  await check();
  expect(entries()).toHaveLength(1000);
  expect(entries()).toContain('1999.json');
  expect(entries()).not.toContain('3.json');
  expect(entries().filter((name) => /^[0-9a-f]{64}\.json$/.test(name))).toHaveLength(3);
});

test('the folder, if none is given', async () => {
  const own = at('user');
  await crobc(['check', '--cache'], { cwd: at('.'), env: { XDG_CACHE_HOME: own } });
  expect(readdirSync(join(own, 'crobc/checks'))).toHaveLength(3);
  mkdirSync(at('node_modules'));
  await crobc(['check', '--cache'], { cwd: at('.') });
  expect(readdirSync(at('node_modules/.cache/crobc'))).toHaveLength(3);
});

test('a folder that cannot be written is said, and the check is made', async () => {
  write('cache', '');
  const { code, err } = await check();
  expect(code).toBe(0);
  expect(err).toMatch(/^crobc: the cache in cache cannot be written: /);
});

test('options that it does not fit', async () => {
  expect((await check('--guards')).err).toBe(
    'error: --guards prints what no cache has: leave out --cache, or --guards\n',
  );
  expect((await check('--watch')).err).toBe('error: --watch keeps results by itself: leave out --cache, or --watch\n');
});
