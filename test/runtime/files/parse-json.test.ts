import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseJson } from '../../../runtime/files/parse-json.ts';

const long = (text: string) => `${' '.repeat(2 ** 20)}${text}`;

test('JSON is parsed, however long', () => {
  for (const padded of [(text: string) => text, long]) {
    expect(parseJson(padded('{"a":[1,{"b":null}],"c":"[[[\\"{{"}'))).toEqual({ a: [1, { b: null }], c: '[[["{{' });
    expect(() => parseJson(padded('{"a":'))).toThrow(SyntaxError);
    expect(() => parseJson(padded('"\\'))).toThrow(SyntaxError);
  }
  // Brackets in a text are no levels, and neither are those that are closed.
  const brackets = '['.repeat(5_000);
  expect(parseJson(long(JSON.stringify(brackets)))).toBe(brackets);
  expect(parseJson(long(`[${'[],'.repeat(5_000)}0]`))).toHaveLength(5_001);
});

test('what would take gigabytes is refused before it is parsed', () => {
  for (const open of ['[', '{"a":'])
    expect(() => parseJson(open.repeat(2 ** 26 / open.length))).toThrow('it has more than 1000 levels');
  expect(() => parseJson(`[${'[],'.repeat(10_000_000)}0]`)).toThrow('it has more than 10000000 objects and lists');
});

test('files of others are parsed by it', () => {
  /** What ships with a package, or is bounded before. */
  const allowed = ['doctor.ts', 'files/source-host.ts', 'files/package-root.ts', 'files/parse-json.ts'].concat([
    'files/shallow-json.ts',
    'ort/library-path.ts',
    // In the page, of what the server answers.
    'serve/page.ts',
    'weights/safetensors-header.ts',
  ]);
  const files = readdirSync('runtime', { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'));
  const parsing = files.filter(
    (name) => name.endsWith('.ts') && /\bJSON\.parse\b/.test(readFileSync(`runtime/${name}`, 'utf8')),
  );
  expect(parsing.filter((name) => !allowed.includes(name))).toEqual([]);
});
