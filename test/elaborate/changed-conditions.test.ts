// slow: compiles many variants

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import { memoryHost } from '../memory-host.ts';

// A condition of a model with variants that is changed: what is missing is found out by elaborating again under conditions
// that are assumed, which must end.
const source = readFileSync('models/crobim.crob', 'utf8');
test.each([
  ['H % 32 == 0', 'H % 33 == 0'],
  ['W % 32 == 0', 'W % 31 == 0'],
  ['(W/32)', '(W/35)'],
  ['H % 32 == 0', 'S % 32 == 0'],
])('with %s changed to %s, the check ends and blames the line', (before, after) => {
  const text = source.replace(before, after);
  expect(text).not.toBe(source);
  const { diagnostics } = check(memoryHost({ 'changed.crob': text }), ['changed.crob']);
  const { start, end } = { start: text.indexOf(after), end: text.indexOf(after) + after.length };
  const line = [text.lastIndexOf('\n', start), text.indexOf('\n', end)];
  const isThere = (span: { readonly start: number; readonly end: number }) =>
    line[0]! <= span.start && span.end <= line[1]!;
  const isOwner = (span: { readonly start: number; readonly end: number }) =>
    text.slice(span.start, span.end) === 'CroBIM';
  expect(diagnostics.some(({ span }) => isThere(span) || isOwner(span))).toBe(true);
  expect(diagnostics.length).toBeLessThan(8);
});
