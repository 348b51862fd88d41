import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { einsum } from '../../../compiler/elaborate/patterns/index.ts';
import { holds } from '../../property.ts';
import { compute, type DimTexts, given, inputs, type Numbers, naive, operators, shapeOf, value } from './naive.ts';

interface Case {
  readonly pattern: string;
  readonly shapes: readonly (readonly (string | number)[])[];
  readonly sizes?: DimTexts;
  readonly names: Numbers;
  readonly type: string;
  readonly ops: string;
}

const cases: Case[] = [
  {
    pattern: 'b h n d, b h m d -> b h n m',
    shapes: [
      ['B', 'H', 'N', 'D'],
      ['B', 'H', 'M', 'D'],
    ],
    names: { b: 2, h: 2, n: 3, m: 4, d: 5 },
    type: 'B, H, N, M',
    ops: 'transpose matmul',
  },
  {
    pattern: 'b h n m, b h m d -> b h n d',
    shapes: [
      ['B', 'H', 'N', 'M'],
      ['B', 'H', 'M', 'D'],
    ],
    names: { b: 2, h: 2, n: 3, m: 4, d: 5 },
    type: 'B, H, N, D',
    ops: 'matmul',
  },
  {
    pattern: 'b k n, b n p c -> b k p c',
    shapes: [
      ['B', 'K', 'N'],
      ['B', 'N', 'P', 'C'],
    ],
    names: { b: 2, k: 3, n: 4, p: 2, c: 3 },
    type: 'B, K, P, C',
    ops: 'reshape matmul reshape',
  },
  {
    pattern: 'b k n, b k p c -> b n p c',
    shapes: [
      ['B', 'K', 'N'],
      ['B', 'K', 'P', 'C'],
    ],
    names: { b: 2, k: 3, n: 4, p: 2, c: 3 },
    type: 'B, N, P, C',
    ops: 'transpose reshape matmul reshape',
  },
  {
    pattern: 's n p, s d n p -> s n d',
    shapes: [
      ['S', 'N', 4],
      ['S', 'D', 'N', 4],
    ],
    names: { s: 2, n: 3, p: 4, d: 5 },
    type: 'S, N, D',
    ops: 'reshape mul sum transpose',
  },
  {
    pattern: 'b n k, k m -> b n m',
    shapes: [
      ['B', 'N', 'K'],
      ['K', 'M'],
    ],
    names: { b: 2, n: 3, k: 4, m: 5 },
    type: 'B, N, M',
    ops: 'matmul',
  },
  {
    pattern: 'b n k, m k -> b n m',
    shapes: [
      ['B', 'N', 'K'],
      ['M', 'K'],
    ],
    names: { b: 2, n: 3, k: 4, m: 5 },
    type: 'B, N, M',
    ops: 'transpose matmul',
  },
  {
    pattern: 'h k, b k w -> b h w',
    shapes: [
      ['H', 'K'],
      ['B', 'K', 'W'],
    ],
    names: { b: 2, h: 3, k: 4, w: 5 },
    type: 'B, H, W',
    ops: 'matmul',
  },
  {
    pattern: 'b h n d, h d m -> b h n m',
    shapes: [
      ['B', 'H', 'N', 'D'],
      ['H', 'D', 'M'],
    ],
    names: { b: 2, h: 3, n: 4, d: 2, m: 5 },
    type: 'B, H, N, M',
    ops: 'matmul',
  },
  {
    pattern: 'b n, b n c -> b c',
    shapes: [
      ['B', 'N'],
      ['B', 'N', 'C'],
    ],
    names: { b: 2, n: 3, c: 4 },
    type: 'B, C',
    ops: 'reshape matmul reshape',
  },
  {
    pattern: 'b n, b m -> b n m',
    shapes: [
      ['B', 'N'],
      ['B', 'M'],
    ],
    names: { b: 2, n: 3, m: 4 },
    type: 'B, N, M',
    ops: 'reshape reshape mul',
  },
  {
    pattern: 'n, m -> n m',
    shapes: [['N'], ['M']],
    names: { n: 3, m: 4 },
    type: 'N, M',
    ops: 'reshape mul',
  },
  {
    pattern: 'b n d, b n d -> b n',
    shapes: [
      ['B', 'N', 'D'],
      ['B', 'N', 'D'],
    ],
    names: { b: 2, n: 3, d: 4 },
    type: 'B, N',
    ops: 'mul sum',
  },
  {
    pattern: 'b d, d b -> d b',
    shapes: [
      ['B', 'D'],
      ['D', 'B'],
    ],
    names: { b: 2, d: 4 },
    type: 'D, B',
    ops: 'transpose mul',
  },
  {
    pattern: 'n, n ->',
    shapes: [['N'], ['N']],
    names: { n: 3 },
    type: '',
    ops: 'mul sum',
  },
  {
    pattern: 'b n k t, k m -> b n m',
    shapes: [
      ['B', 'N', 'K', 'T'],
      ['K', 'M'],
    ],
    names: { b: 2, n: 3, k: 4, t: 2, m: 5 },
    type: 'B, N, M',
    ops: 'sum matmul',
  },
  {
    pattern: 'b (h d) n, b (h d) m -> (b h) n m',
    shapes: [
      ['B', '4*D', 'N'],
      ['B', '4*D', 'M'],
    ],
    sizes: { h: 4 },
    names: { b: 2, h: 4, d: 3, n: 2, m: 5 },
    type: '4*B, N, M',
    ops: 'reshape transpose reshape matmul reshape',
  },
  {
    pattern: 'b h w -> b w',
    shapes: [['B', 'H', 'W']],
    names: { b: 2, h: 3, w: 4 },
    type: 'B, W',
    ops: 'sum',
  },
  {
    pattern: 'b h w -> w h b',
    shapes: [['B', 'H', 'W']],
    names: { b: 2, h: 3, w: 4 },
    type: 'W, H, B',
    ops: 'transpose',
  },
  {
    pattern: 'h i, b i j, j w -> b h w',
    shapes: [
      ['H', 'I'],
      ['B', 'I', 'J'],
      ['J', 'W'],
    ],
    names: { h: 2, i: 3, b: 2, j: 4, w: 5 },
    type: 'B, H, W',
    ops: 'matmul matmul',
  },
  {
    pattern: 'b 1 n, n m -> b 1 m',
    shapes: [
      ['B', 1, 'N'],
      ['N', 'M'],
    ],
    names: { b: 2, n: 3, m: 4 },
    type: 'B, 1, M',
    ops: 'reshape matmul reshape',
  },
];

describe('einsum', () => {
  it.each(cases)('$pattern', ({ pattern, shapes, sizes = {}, names, type, ops }) => {
    const { cx, xs } = inputs(shapes);
    const y = value(einsum(cx, pattern, xs, given(sizes)));
    expect(shapeOf(y)).toBe(type);
    expect(operators(cx.build).join(' ')).toBe(ops);
    const dims = Object.fromEntries(Object.entries(names).map(([name, size]) => [name.toUpperCase(), size]));
    const { tensors, y: actual } = compute(cx.build, xs, y, dims);
    expect(actual).toEqual(naive(pattern, tensors, names));
  });

  it('takes leading batch axes as `...`', () => {
    const { cx, xs } = inputs([
      [2, 3, 4, 5],
      [2, 3, 6, 5],
      [5, 5],
    ]);
    const y = value(einsum(cx, '... n d, ... m d, d e -> ... n m e', xs, new Map()));
    const { tensors, y: actual } = compute(cx.build, xs, y);
    expect(actual).toEqual(
      naive('a b n d, a b m d, d e -> a b n m e', tensors, { a: 2, b: 3, n: 4, m: 6, d: 5, e: 5 }),
    );
  });

  it('agrees with its definition on random patterns of one to three operands', () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const sizes: Numbers = { a: 2, b: 3, c: 1, d: 2, e: 4 };
    const operand = fc.shuffledSubarray(names, { maxLength: 4 });
    const picks = fc.shuffledSubarray(names);
    holds(
      fc.property(fc.array(operand, { minLength: 1, maxLength: 3 }), picks, (operands, picked) => {
        const result = picked.filter((name) => operands.some((own) => own.includes(name)));
        const pattern = `${operands.map((own) => own.join(' ')).join(', ')} -> ${result.join(' ')}`;
        const { cx, xs } = inputs(operands.map((own) => own.map((name) => sizes[name]!)));
        const y = value(einsum(cx, pattern, xs, new Map()));
        const { tensors, y: actual } = compute(cx.build, xs, y);
        expect(actual).toEqual(naive(pattern, tensors, sizes));
      }),
      { seed: 5, numRuns: 400 },
    );
  });
});
