import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const rows = [...readFileSync('CONTRIBUTING.md', 'utf8').matchAll(/^\| `([\w/]+)\/` \| .* \| (.*) \|$/gm)].map(
  ([, part = '', files = '']) => ({ part, links: [...files.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target!) }),
);

test('the map of CONTRIBUTING has every part, in the order of dependencies, and each begins with files of its own', () => {
  const folders = (root: string) =>
    readdirSync(root, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? [`${root}/${one.name}`] : []));
  const parts = [
    'grammar',
    'compiler',
    ...folders('compiler'),
    'stdlib',
    'models',
    ...folders('runtime'),
    'api',
    'cli',
    'test',
  ];
  expect(rows.map(({ part }) => part).sort()).toEqual(parts.sort());
  for (const { part, links } of rows) {
    expect(links, part).not.toEqual([]);
    for (const link of links) expect(link.startsWith(`${part}/`), `${part}: ${link}`).toBe(true);
  }
});
