import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import config, { long } from '../vitest.config.ts';

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

function sayingIt(word: string): string[] {
  return files.filter((file) => new RegExp(`^// ${word}: \\S`).test(readFileSync(file, 'utf8')));
}

test('a file is slow where its first line says so, with the reason, and fast otherwise; npm test runs both, and not the few that are long', () => {
  const saying = sayingIt('slow');
  const { fast, mocking, slow } = Object.fromEntries(projects());
  expect([...slow!.include].sort()).toEqual(saying.sort());
  expect([...fast!.exclude].sort()).toEqual([...saying, ...sayingIt('long'), ...mocking!.include].sort());
  expect(fast!.include).toEqual(['test/**/*.test.ts']);
  expect([...projects().keys()]).toEqual(['fast', 'mocking', 'slow']);
  expect(saying.length).toBeLessThan(files.length / 2);
  expect([...long].sort()).toEqual(sayingIt('long').sort());
  expect(long.length).toBeLessThan(10);
});

test('the word stands nowhere else, where nothing would read it', () => {
  const elsewhere = files.filter((file) => /\n *\/\/ (slow|long): /.test(readFileSync(file, 'utf8')));
  expect(elsewhere).toEqual([]);
});

test.each(['fast', 'dev'])('npm run %s takes the fast ones', (name) => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  expect(scripts[name === 'fast' ? 'test:fast' : name]).toContain('--project fast --project mocking');
});
