import fc from 'fast-check';
import { expect, test } from 'vitest';
import { syntaxMessages } from '../../compiler/diagnostics/messages/syntax.ts';
import { format } from '../../grammar/format.ts';
import { parse } from '../../grammar/parse.ts';
import { holds } from '../property.ts';
import { snippets } from './snippets/read.ts';

const pieces = [
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ',',
  ';',
  '\n',
  '..',
  '...',
  '.*',
  '.',
  '->',
  '<-',
  '=',
  '==',
  '+',
  '-',
  '*',
  '^',
  '%',
  '!',
  '&&',
  ':',
  '?',
  '@',
  '~',
  'let ',
  'return ',
  'if ',
  'else ',
  'for ',
  'in ',
  'as ',
  'where ',
  'then ',
  'none',
  'module ',
  'fn ',
  'model ',
  'recipe ',
  'use ',
  'type ',
  'forward {',
  'let (',
  '|',
  ' if ',
  'param ',
  'static ',
  'method ',
  'tensor f32[',
  'def ',
  '#',
  '//',
  '///',
  '"',
  "'",
  '1.',
  '0x1',
  '.5',
  '\u00d7',
  '\u{1f600}',
  '\\',
  '\t',
  '\r\n',
  '\0',
];

/** What holds for every text, however broken. */
function isSound(text: string): void {
  const { tree, faults } = parse('x.crob', text);
  let last = 0;
  for (const { code, span, also } of faults) {
    expect(syntaxMessages).toHaveProperty(code);
    for (const place of also ? [span, also] : [span]) {
      expect(place.start).toBeGreaterThanOrEqual(0);
      expect(place.end).toBeGreaterThanOrEqual(place.start);
      expect(place.end).toBeLessThanOrEqual(text.length);
    }
    expect(span.start).toBeGreaterThanOrEqual(last);
    last = span.start;
  }
  const formatted = format(tree);
  if (faults.length === 0) expect(parse('x.crob', formatted).faults).toEqual([]);
}

const source = fc.constantFrom(...snippets.map(([, text]) => text));

test('truncated sources', () => {
  holds(
    fc.property(source, fc.double({ min: 0, max: 1, noNaN: true }), (text, part) =>
      isSound(text.slice(0, Math.floor(part * text.length))),
    ),
    { seed: 1, numRuns: 100 },
  );
});

test('sources with pieces put in, taken out and doubled', () => {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.nat({ max: 12 }),
    put: fc.constantFrom('', ...pieces),
  });
  holds(
    fc.property(source, fc.array(edit, { minLength: 1, maxLength: 8 }), (text, edits) => {
      let changed = text;
      for (const { at, remove, put } of edits) {
        const offset = Math.floor(at * changed.length);
        changed = changed.slice(0, offset) + put + changed.slice(offset + (put === '' ? remove : remove % 3));
      }
      isSound(changed);
    }),
    { seed: 2, numRuns: 250 },
  );
});

test('soups of tokens', () => {
  const soup = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.constantFrom('x', 'B', '3 ', '1.0', '"s"')), {
    maxLength: 40,
  });
  holds(
    fc.property(soup, (parts) => isSound(parts.join(''))),
    { seed: 3, numRuns: 250 },
  );
});

test('chains too long for the stack are a fault', () => {
  const faults = parse('x.crob', `fn f() = ${'-'.repeat(200_000)}1\n`).faults;
  expect(faults.map((fault) => fault.code)).toEqual(['CROB1030']);
});
