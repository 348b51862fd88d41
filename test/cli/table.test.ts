import { expect, test } from 'vitest';
import { labelled, table } from '../../cli/table.ts';

const heads = ['path', 'what it is', 'count'];
const rows = [
  ['backbone.layers[*]', 'SwinStage, 4 of them', '12'],
  ['text', 'an embedding of words and their positions', '1,024'],
];
const align = ['left', 'left', 'right'] as const;

test('a table as wide as its cells where there is room', () => {
  expect(table(heads, rows, align, 100).split('\n')).toEqual([
    'path                what it is                                 count',
    '------------------  -----------------------------------------  -----',
    'backbone.layers[*]  SwinStage, 4 of them                          12',
    'text                an embedding of words and their positions  1,024',
  ]);
  expect(table(heads, rows, align, undefined)).toBe(table(heads, rows, align, 100));
});

test('lines break between words where it is narrow', () => {
  expect(table(heads, rows, align, 50).split('\n')).toEqual([
    'path                what it is               count',
    '------------------  -----------------------  -----',
    'backbone.layers[*]  SwinStage, 4 of them        12',
    'text                an embedding of words    1,024',
    '                    and their positions',
  ]);
});

test('words and numbers stay whole where there is no room for them', () => {
  const lines = table(heads, rows, align, 10).split('\n');
  expect(lines.join(' ')).toContain('backbone.layers[*]');
  expect(lines.join(' ')).toContain('positions');
  expect(lines.join(' ')).toContain('1,024');
  expect(Math.max(...lines.map((line) => line.length))).toBe(18 + 2 + 10 + 2 + 5);
});

test('labelled lines hang below their text', () => {
  const rows = [
    ['words', '30 distinct; 3 to 10 a phrase'],
    ['sizes', '64 × 64'],
    ['relative_size', 'none 8'],
  ] as const;
  expect(labelled(rows, undefined).split('\n')).toEqual([
    '  words          30 distinct; 3 to 10 a phrase',
    '  sizes          64 × 64',
    '  relative_size  none 8',
  ]);
  expect(labelled(rows, 36).split('\n').slice(0, 2)).toEqual([
    '  words          30 distinct; 3 to',
    '                 10 a phrase',
  ]);
});
