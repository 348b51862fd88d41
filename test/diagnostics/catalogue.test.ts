import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { MessageRow } from '../../compiler/diagnostics/message-row.ts';
import { messages } from '../../compiler/diagnostics/messages.ts';
import { exampleDiagnostics } from './example.ts';

const rows = Object.entries(messages) as [string, MessageRow][];
const root = fileURLToPath(new URL('../../', import.meta.url));

describe.each(rows)('%s', (code, row) => {
  test('is given by its example, and nothing else is', () => {
    const diagnostics = exampleDiagnostics(row);
    expect(diagnostics.map((d) => `${d.code} ${d.message}`)).toEqual([expect.stringMatching(`^${code} `)]);
    expect(diagnostics[0]!.message).not.toMatch(/undefined|NaN|\[object/);
    for (const [hole] of row.template.matchAll(/\{\w+\}/g)) expect(diagnostics[0]!.message).not.toContain(hole);
    // A model that is gone is only in the lock.
    expect(diagnostics[0]!.span.file).toBe(code === 'CROB2403' ? 'crob.lock' : 'example.crob');
  });

  test('is explained', () => {
    expect(row.explanation.length).toBeGreaterThan(30);
    expect(row.title).toMatch(/^[A-Z`]/);
    expect(row.template).not.toMatch(/\.$/);
  });
});

test('every message is said somewhere', () => {
  const sources = sourceFiles('grammar')
    .concat(sourceFiles('compiler'))
    .filter((file) => !file.includes('diagnostics/messages'));
  const text = sources.map((file) => readFileSync(file, 'utf8')).join('\n');
  expect(rows.map(([code]) => code).filter((code) => !text.includes(`'${code}'`))).toEqual([]);
});

function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(root, folder, file));
}
