import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import config from '../vitest.config.ts';

const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join('test', name).replaceAll('\\', '/'));

/** Projects of vitest by their name. */
function projects(): ReadonlyMap<string, { readonly include: readonly string[]; readonly exclude: readonly string[] }> {
  const found = config.test?.projects ?? [];
  return new Map(
    found.flatMap((project) => {
      if (typeof project !== 'object' || !('test' in project)) return [];
      const { name, include = [], exclude = [] } = project.test ?? {};
      return [[String(name), { include, exclude }] as const];
    }),
  );
}

test('a file is slow where its first line says so, with the reason, and fast otherwise; npm test runs both', () => {
  const saying = files.filter((file) => /^\/\/ slow: \S.*$/m.test(readFileSync(file, 'utf8').split('\n', 1)[0]!));
  const { fast, mocking, slow } = Object.fromEntries(projects());
  expect([...slow!.include].sort()).toEqual(saying.sort());
  expect([...fast!.exclude].sort()).toEqual([...saying, ...mocking!.include].sort());
  expect(fast!.include).toEqual(['test/**/*.test.ts']);
  expect([...projects().keys()]).toEqual(['fast', 'mocking', 'slow']);
  expect(saying.length).toBeLessThan(files.length / 2);
});

test('the word stands nowhere else, where nothing would read it', () => {
  const elsewhere = files.filter((file) => /\n *\/\/ slow: /.test(readFileSync(file, 'utf8')));
  expect(elsewhere).toEqual([]);
});

test.each(['fast', 'dev'])('npm run %s takes the fast ones', (name) => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  expect(scripts[name === 'fast' ? 'test:fast' : name]).toContain('--project fast --project mocking');
});
