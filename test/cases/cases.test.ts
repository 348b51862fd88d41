import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verify } from '../../compiler/graphs/verify.ts';
import { graphHash } from '../../compiler/ir/hash.ts';
import { format } from '../../grammar/format.ts';
import { parse } from '../../grammar/parse.ts';
import { readCase, run, withoutLibraryLines, writeCase } from './case.ts';

/**
 * One Markdown file a case. `npx vitest run test/cases -u` writes the sections anew; the difference is reviewed.
 */
const folder = import.meta.dirname;
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.md'))
  .sort();

describe.each(files)('%s', (file) => {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  const one = readCase(text);

  test(one.title, async () => {
    expect(one.sections, 'says what is reported').toContain('Diagnostics');
    const outcome = run(one.files);
    await expect(writeCase(one, outcome)).toMatchFileSnapshot(path);
    for (const { graph } of outcome.models.values()) expect(verify(graph)).toEqual([]);
  });

  test.runIf(text.includes('```text\nnone\n```'))('formatting changes no graph', () => {
    const formatted = new Map([...one.files].map(([name, source]) => [name, format(parse(name, source).tree)]));
    expect(hashes(run(formatted))).toEqual(hashes(run(one.files)));
  });
});

test('a case names no line of the library, and each line of its own', () => {
  const shown = (line: number) =>
    `error: a\n  main.crob:3:4        x\n  std/linear.crob:${line}:3   y\n  x : [8]   Linear (std/linear.crob:${line}) <- x (:${line})\n\nerror: b\n  main.crob:3:4    x`;
  expect(withoutLibraryLines(shown(9))).toBe(
    'error: a\n  main.crob:3:4   x\n  std/linear.crob:…   y\n  x : [8]   Linear (std/linear.crob:…) <- x (:…)\n\nerror: b\n  main.crob:3:4    x',
  );
  expect(withoutLibraryLines(shown(1000))).toBe(withoutLibraryLines(shown(9)));
});

test('no expectation of a test names a line of the library', () => {
  const line = /\b(std|stdlib|crobc\/models)\/(?!mine)[\w-]+\.crob:\d/;
  const tests = readdirSync('test', { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.(ts|md|snap)$/.test(file),
  );
  const own = join('cases', 'cases.test.ts');
  expect(tests.filter((file) => file !== own && line.test(readFileSync(join('test', file), 'utf8')))).toEqual([]);
});

function hashes({ models }: ReturnType<typeof run>): string[] {
  return [...models].map(([name, { graph }]) => `${name} ${graphHash(graph)}`);
}
