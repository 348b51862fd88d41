import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { PageRun } from './page.ts';
import { shows } from './transcript.ts';

const generated = ['builtins.md', 'operators.md', 'library.md'];
const written = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md') && !generated.includes(name))
    .map((name) => `docs/${name}`),
];

/** `npx vitest run test/docs -u` writes what the commands print into the pages. */
test.each(written)('%s: every block runs, and shows what it prints', async (page) => {
  const run = new PageRun(readFileSync(page, 'utf8'));
  try {
    const text = run.run();
    expect(run.faults).toEqual([]);
    await expect(text).toMatchFileSnapshot(join('..', '..', page));
  } finally {
    run.close();
  }
});

/** GitHub's anchor of a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

const prose = (page: string) => readFileSync(page, 'utf8').replace(/^```[\s\S]*?^```$/gm, '');

test.each([...written, ...generated.map((name) => `docs/${name}`), 'docs/errors/index.md'])(
  '%s: every link leads somewhere',
  (page) => {
    const broken: string[] = [];
    for (const [, target] of prose(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target!)) continue;
      const [path = '', hash] = target!.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path));
      if (!existsSync(file)) broken.push(target!);
      else if (hash !== undefined) {
        const anchors = [...prose(file).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading!));
        if (!anchors.includes(hash)) broken.push(target!);
      }
    }
    expect(broken).toEqual([]);
  },
);

test('a transcript may leave lines out and differ in times, and in nothing else', () => {
  const printed = 'Tiny: 3 parameters, 12 nodes, 0.8 s\n  one\n  two\n  three\n';
  expect(shows('Tiny: 3 parameters, 12 nodes, 1.25 s\n  one\n  two\n  three', printed)).toBe(true);
  expect(shows('Tiny: 3 parameters, 12 nodes, 0.8 s\n…\n  three', printed)).toBe(true);
  expect(shows('Tiny: 3 parameters, 13 nodes, 0.8 s\n…', printed)).toBe(false);
  expect(shows('Tiny: 3 parameters, 12 nodes, 0.8 s\n  one\n  two', printed)).toBe(false);
});
