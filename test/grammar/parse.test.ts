import { describe, expect, test } from 'vitest';
import { parse } from '../../grammar/parse.ts';
import { Parser } from '../../grammar/parser.ts';
import { snippets } from './snippets/read.ts';

test('the grammar has no ambiguity that chevrotain can find', () => {
  expect(() => new Parser(false)).not.toThrow();
});

describe('snippets', () => {
  test.each(snippets)('%s', (file, text) => {
    const { tree, faults } = parse(file, text);
    expect(faults).toEqual([]);
    expect(tree.declarations.length).toBeGreaterThan(0);
  });
});
