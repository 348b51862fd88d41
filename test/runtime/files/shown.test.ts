import { expect, test } from 'vitest';
import { cut, quoted, shownValue } from '../../../runtime/files/shown.ts';

const deep = (levels: number) => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`) as unknown;

test.each<[unknown, string]>([
  [undefined, 'missing'],
  [null, 'null'],
  [1.5, '1.5'],
  ['a "b"\n', '"a \\"b\\"\\n"'],
  [{ a: [1, 'x', null], 'b c': {} }, '{"a":[1,"x",null],"b c":{}}'],
  ['x'.repeat(100), `"${'x'.repeat(59)}…`],
  [Array(1000).fill(12), `[${'12,'.repeat(19)}12…`],
  [deep(6), '[[[[[[]]]]]]'],
  // Deeper than a stack.
  [deep(100_000), '[[[[[[…]]]]]]'],
])('a value for a message, %#', (value, text) => {
  expect(shownValue(value)).toBe(text);
});

test('a text for a message', () => {
  expect(cut('abcdef', 6)).toBe('abcdef');
  expect(cut('abcdefg', 6)).toBe('abcdef…');
  expect(quoted('a\u0000b')).toBe('"a\\u0000b"');
  expect(quoted('\u0000'.repeat(100), 10).length).toBeLessThan(20);
});
