import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';

const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('test', name));
const those = (pattern: RegExp) => files.filter((file) => pattern.test(readFileSync(file, 'utf8')));

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

/** What a property of the seed 7 is held against. */
async function drawn(fresh: string): Promise<readonly number[]> {
  vi.stubEnv('CROBC_TEST_SEED', fresh);
  vi.resetModules();
  const { holds } = await import('./property.ts');
  const seen: number[] = [];
  holds(
    fc.property(fc.nat(), (n) => {
      seen.push(n);
    }),
    { seed: 7, numRuns: 20 },
  );
  return seen;
}

test('a property draws the same each time, and something else from a fresh seed, which gives the same again', async () => {
  const [fixed, one, other] = [await drawn(''), await drawn('1'), await drawn('2')];
  expect(await drawn('')).toEqual(fixed);
  expect(await drawn('1')).toEqual(one);
  expect(new Set([fixed, one, other].map(String)).size).toBe(3);
});

test('fresh seeds of different tests differ, as their own do', async () => {
  const { drawnSeed } = await import('./seed.ts');
  const named = Array.from({ length: 2000 }, (_, i) => i);
  expect(named.map((seed) => drawnSeed(seed, undefined))).toEqual(named);
  expect(new Set(named.map((seed) => drawnSeed(seed, 3))).size).toBe(named.length);
});

test('a fresh seed that is no number is refused', async () => {
  await expect(drawn('three')).rejects.toThrow('CROBC_TEST_SEED=three: give a number of at most ten digits');
});

test('no test draws on its own', () => {
  expect(those(/\bfc\.(assert|check|sample|configureGlobal)\(/)).toEqual(['test/property.ts']);
  expect(those(/\bMath\.random\b|\brandom(Bytes|UUID|Int)\b/).filter((file) => file !== 'test/seed.test.ts')).toEqual(
    [],
  );
  const loops = those(/\bfor \(let seed = /).filter(
    (file) => file.endsWith('.test.ts') && file !== 'test/seed.test.ts',
  );
  expect(loops, 'loop over numbers, and draw from drawnSeed of each (test/seed.ts)').toEqual([]);
});

test('npm run test:fresh-seeds prints its seed, and how to have it again', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['scripts/fresh-seeds.mjs', ...args], { encoding: 'utf8' });
  expect(run('--seed', 'x')).toMatchObject({ status: 2, stderr: '--seed x: give a number of at most ten digits\n' });
  const none = run('--seed', '5', 'test/there-is-none.test.ts');
  expect(none.stdout).toContain('seed 5, 1 file\n');
  expect(none.stderr).toContain('npm run test:fresh-seeds -- --seed 5 test/there-is-none.test.ts\n');
  expect(none.status).toBe(1);
});
