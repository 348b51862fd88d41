import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verify } from '../../compiler/graphs/verify.ts';
import { graphHash } from '../../compiler/ir/hash.ts';
import { format } from '../../grammar/format.ts';
import { parse } from '../../grammar/parse.ts';
import { readCase, run, writeCase } from './case.ts';

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

function hashes({ models }: ReturnType<typeof run>): string[] {
  return [...models].map(([name, { graph }]) => `${name} ${graphHash(graph)}`);
}
