import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Facts } from '../../../compiler/dims/facts.ts';
import { rearrange, reduce, repeat } from '../../../compiler/elaborate/patterns/index.ts';
import { holds } from '../../property.ts';
import { compute, type DimTexts, dim, given, inputs, type Numbers, naive, operators, shapeOf, value } from './naive.ts';

interface Case {
  readonly shape: readonly (string | number)[];
  readonly pattern: string;
  readonly sizes?: DimTexts;
  /** Every name of the pattern as a number, for the naive evaluator. */
  readonly names: Numbers;
  readonly dims?: Numbers;
  readonly facts?: Facts;
  readonly type: string;
  readonly ops: string;
}

const even = Facts.none
  .assume({ kind: 'mod', value: dim('H'), modulus: 4, remainder: 0 })
  .assume({ kind: 'mod', value: dim('W'), modulus: 4, remainder: 0 });

const rearranges: Case[] = [
  {
    shape: ['B', 'M*7', 'N*7', 'C'],
    pattern: 'b (m p) (n q) c -> b (m n) (p q) c',
    sizes: { p: 7, q: 7 },
    names: { b: 2, m: 2, n: 3, p: 7, q: 7, c: 2 },
    dims: { B: 2, M: 2, N: 3, C: 2 },
    type: 'B, M*N, 49, C',
    ops: 'reshape transpose reshape',
  },
  {
    shape: ['B', 'M*N', 'window^2', 'C'].map((text) => (text === 'window^2' ? 'window*window' : text)),
    pattern: 'b (m n) (p q) c -> b (m p) (n q) c',
    sizes: { m: 'M', p: 'window' },
    names: { b: 1, m: 2, n: 3, p: 2, q: 2, c: 2 },
    dims: { B: 1, M: 2, N: 3, C: 2, window: 2 },
    type: 'B, M*window, N*window, C',
    ops: 'reshape transpose reshape',
  },
  {
    shape: ['B', 'H', 'W', 'C'],
    pattern: 'b (h p) (w q) c -> b h w (p q c)',
    sizes: { p: 4, q: 4 },
    names: { b: 2, h: 2, w: 3, p: 4, q: 4, c: 2 },
    dims: { B: 2, H: 8, W: 12, C: 2 },
    facts: even,
    type: 'B, floor(H/4), floor(W/4), 16*C',
    ops: 'reshape transpose reshape',
  },
  {
    shape: ['B', 16, 'H*8', 'W*8'],
    pattern: 'b c (h p) (w q) -> b (h w) (p q) c',
    sizes: { h: 'H', w: 'W' },
    names: { b: 1, c: 16, h: 1, w: 2, p: 8, q: 8 },
    dims: { B: 1, H: 1, W: 2 },
    type: 'B, H*W, 64, 16',
    ops: 'reshape transpose reshape',
  },
  {
    shape: ['B', 'H*W', 64, 16],
    pattern: 'b (h w) (p q) c -> b c (h p) (w q)',
    sizes: { h: 'H', p: 8 },
    names: { b: 1, c: 16, h: 1, w: 2, p: 8, q: 8 },
    dims: { B: 1, H: 1, W: 2 },
    type: 'B, 16, 8*H, 8*W',
    ops: 'reshape transpose reshape',
  },
  {
    shape: ['B', 'N', 256],
    pattern: 'b n (g l p c) -> l (b g) (n p) c',
    sizes: { g: 8, l: 4, c: 2 },
    names: { b: 2, n: 3, g: 8, l: 4, p: 4, c: 2 },
    dims: { B: 2, N: 3 },
    type: '4, 8*B, 4*N, 2',
    ops: 'reshape transpose reshape',
  },
  {
    shape: ['B', 'N', 128],
    pattern: 'b n (g k) -> (b g) n k',
    sizes: { g: 8 },
    names: { b: 2, n: 3, g: 8, k: 16 },
    dims: { B: 2, N: 3 },
    type: '8*B, N, 16',
    ops: 'reshape transpose reshape',
  },
  {
    shape: ['S', 'N', 16],
    pattern: 's n (l p) -> l s n p',
    sizes: { l: 4 },
    names: { s: 2, n: 3, l: 4, p: 4 },
    dims: { S: 2, N: 3 },
    type: '4, S, N, 4',
    ops: 'reshape transpose',
  },
  {
    shape: ['B', 'H', 'W', 64],
    pattern: 'b h w (g d) -> (b g) d h w',
    sizes: { g: 8 },
    names: { b: 2, h: 2, w: 3, g: 8, d: 8 },
    dims: { B: 2, H: 2, W: 3 },
    type: '8*B, 8, H, W',
    ops: 'reshape transpose reshape',
  },
  {
    shape: ['S', 'D', 'N*4'],
    pattern: 's d (n p) -> s d n p',
    sizes: { p: 4 },
    names: { s: 2, d: 3, n: 5, p: 4 },
    dims: { S: 2, D: 3, N: 5 },
    type: 'S, D, N, 4',
    ops: 'reshape',
  },
  {
    shape: ['8*B', 'N', 32],
    pattern: '(b g) n d -> b n (g d)',
    sizes: { g: 8 },
    names: { b: 2, g: 8, n: 3, d: 32 },
    dims: { B: 2, N: 3 },
    type: 'B, N, 256',
    ops: 'reshape transpose reshape',
  },
  {
    shape: ['C'],
    pattern: 'c -> c 1 1',
    names: { c: 3 },
    dims: { C: 3 },
    type: 'C, 1, 1',
    ops: 'reshape',
  },
  {
    shape: ['B', 'H', 'W'],
    pattern: 'b h w -> b (h w)',
    names: { b: 2, h: 3, w: 4 },
    dims: { B: 2, H: 3, W: 4 },
    type: 'B, H*W',
    ops: 'reshape',
  },
  {
    shape: ['B', 'N', 'H', 'D'],
    pattern: 'b n h d -> b h n d',
    names: { b: 2, n: 3, h: 4, d: 2 },
    dims: { B: 2, N: 3, H: 4, D: 2 },
    type: 'B, H, N, D',
    ops: 'transpose',
  },
  {
    shape: ['B', 'N'],
    pattern: 'b n -> b n',
    names: { b: 2, n: 3 },
    dims: { B: 2, N: 3 },
    type: 'B, N',
    ops: '',
  },
  {
    shape: ['B', 1, 'H', 'W'],
    pattern: 'b 1 h w -> b h w 1',
    names: { b: 2, h: 3, w: 4 },
    dims: { B: 2, H: 3, W: 4 },
    type: 'B, H, W, 1',
    ops: 'reshape',
  },
  {
    shape: ['B', 'H', 1, 'W'],
    pattern: 'b h 1 w -> b w 1 h',
    names: { b: 2, h: 3, w: 4 },
    dims: { B: 2, H: 3, W: 4 },
    type: 'B, W, 1, H',
    ops: 'transpose',
  },
  {
    shape: ['B', 1, 'H', 'W'],
    pattern: 'b c h w -> b h w c',
    names: { b: 2, c: 1, h: 3, w: 4 },
    dims: { B: 2, H: 3, W: 4 },
    type: 'B, H, W, 1',
    ops: 'reshape',
  },
];

describe('rearrange', () => {
  it.each(rearranges)('$pattern of $shape', ({ shape, pattern, sizes = {}, names, dims = {}, facts, type, ops }) => {
    const { cx, x } = inputs([shape], facts);
    const y = value(rearrange(cx, x, pattern, given(sizes)));
    expect(shapeOf(y)).toBe(type);
    expect(operators(cx.build).join(' ')).toBe(ops);
    const { tensors, y: actual } = compute(cx.build, [x], y, dims);
    expect(actual).toEqual(naive(pattern, tensors, names));
  });

  it('lets `...` stand for the other axes, in groups on the right side too', () => {
    const { cx, x } = inputs([[2, 3, 4, 5]]);
    const moved = value(rearrange(cx, x, '... d -> d ...', new Map()));
    expect(compute(cx.build, [x], moved).y).toEqual(
      naive('a b c d -> d a b c', compute(cx.build, [x], moved).tensors, { a: 2, b: 3, c: 4, d: 5 }),
    );
    const flat = value(rearrange(cx, x, 'b ... d -> (b ...) d', new Map()));
    expect(shapeOf(flat)).toBe('24, 5');
    expect(shapeOf(value(rearrange(cx, x, 'a b c d ... -> ... d c b a', new Map())))).toBe('5, 4, 3, 2');
  });

  it('divides an axis by a symbolic size together with a number', () => {
    const { cx, x } = inputs([['H*W']], even);
    const y = value(rearrange(cx, x, '(a w p) -> a w p', given({ w: 'W', p: 4 })));
    expect(shapeOf(y)).toBe('floor(H/4), W, 4');
  });

  it('agrees with its definition on random patterns', () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const sizes: Numbers = { a: 2, b: 3, c: 1, d: 2, e: 4 };
    const grouped = (order: readonly string[], cuts: readonly number[]) => {
      const groups: string[][] = [];
      order.forEach((name, i) => {
        if (i > 0 && cuts[i] === 0) groups.at(-1)!.push(name);
        else groups.push([name]);
      });
      return groups;
    };
    const text = (groups: readonly (readonly string[])[]) =>
      groups.map((group) => (group.length > 1 ? `(${group.join(' ')})` : group[0])).join(' ');
    const side = fc
      .tuple(
        fc.shuffledSubarray(names, { minLength: 5 }),
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 5, maxLength: 5 }),
      )
      .map(([order, cuts]) => grouped(order, cuts));
    holds(
      fc.property(side, side, (left, right) => {
        const shape = left.map((group) => group.reduce((total, name) => total * sizes[name]!, 1));
        const pattern = `${text(left)} -> ${text(right)}`;
        const { cx, x } = inputs([shape]);
        const y = value(rearrange(cx, x, pattern, given(sizes)));
        expect(operators(cx.build).length).toBeLessThanOrEqual(3);
        const { tensors, y: actual } = compute(cx.build, [x], y);
        expect(actual).toEqual(naive(pattern, tensors, sizes));
      }),
      { seed: 8, numRuns: 200 },
    );
  });
});

const repeats: Case[] = [
  {
    shape: ['N', 2],
    pattern: 'n c -> (n p) c',
    sizes: { p: 4 },
    names: { n: 3, c: 2, p: 4 },
    dims: { N: 3 },
    type: '4*N, 2',
    ops: 'reshape broadcast reshape',
  },
  {
    shape: ['C'],
    pattern: 'c -> b c',
    sizes: { b: 'B' },
    names: { b: 2, c: 3 },
    dims: { B: 2, C: 3 },
    type: 'B, C',
    ops: 'broadcast',
  },
  {
    shape: ['B', 'C'],
    pattern: 'b c -> b h w c',
    sizes: { h: 'H', w: 2 },
    names: { b: 2, c: 3, h: 3, w: 2 },
    dims: { B: 2, C: 3, H: 3 },
    type: 'B, H, 2, C',
    ops: 'reshape broadcast',
  },
  {
    shape: ['B', 'C'],
    pattern: 'b c -> c b 1 t',
    sizes: { t: 2 },
    names: { b: 2, c: 3, t: 2 },
    dims: { B: 2, C: 3 },
    type: 'C, B, 1, 2',
    ops: 'transpose reshape broadcast',
  },
  {
    shape: ['B', 'C'],
    pattern: 'b c -> b n c',
    sizes: { n: 1 },
    names: { b: 2, c: 3, n: 1 },
    dims: { B: 2, C: 3 },
    type: 'B, 1, C',
    ops: 'reshape',
  },
];

describe('repeat', () => {
  it.each(repeats)('$pattern of $shape', ({ shape, pattern, sizes = {}, names, dims = {}, type, ops }) => {
    const { cx, x } = inputs([shape]);
    const y = value(repeat(cx, x, pattern, given(sizes)));
    expect(shapeOf(y)).toBe(type);
    expect(operators(cx.build).join(' ')).toBe(ops);
    const { tensors, y: actual } = compute(cx.build, [x], y, dims);
    expect(actual).toEqual(naive(pattern, tensors, names));
  });
});

const reductions: Case[] = [
  {
    shape: ['B', 'C', 'H', 'W'],
    pattern: 'b c h w -> c',
    names: { b: 2, c: 3, h: 2, w: 4 },
    dims: { B: 2, C: 3, H: 2, W: 4 },
    type: 'C',
    ops: 'reduce',
  },
  {
    shape: ['B', 'C', 'H', 'W'],
    pattern: 'b c h w -> b c 1 1',
    names: { b: 2, c: 3, h: 2, w: 4 },
    dims: { B: 2, C: 3, H: 2, W: 4 },
    type: 'B, C, 1, 1',
    ops: 'reduce',
  },
  {
    shape: ['B', 'C', '3*H', '2*W'],
    pattern: 'b c (h p) (w q) -> b c h w',
    sizes: { p: 3, q: 2 },
    names: { b: 2, c: 3, h: 2, w: 4, p: 3, q: 2 },
    dims: { B: 2, C: 3, H: 2, W: 4 },
    type: 'B, C, H, W',
    ops: 'reshape reduce',
  },
  {
    shape: ['B', 'C', 'H', 'W'],
    pattern: 'b c h w -> h (b c) 1',
    names: { b: 2, c: 3, h: 2, w: 4 },
    dims: { B: 2, C: 3, H: 2, W: 4 },
    type: 'H, B*C, 1',
    ops: 'reduce transpose reshape',
  },
  {
    shape: ['B', 'C'],
    pattern: 'b c -> b c',
    names: { b: 2, c: 3 },
    dims: { B: 2, C: 3 },
    type: 'B, C',
    ops: '',
  },
  {
    shape: ['B', 'C'],
    pattern: 'b c ->',
    names: { b: 2, c: 3 },
    dims: { B: 2, C: 3 },
    type: '',
    ops: 'reduce',
  },
];

describe.each(['sum', 'mean', 'max'] as const)('reduce %s', (kind) => {
  it.each(reductions)('$pattern of $shape', ({ shape, pattern, sizes = {}, names, dims = {}, type, ops }) => {
    const { cx, x } = inputs([shape]);
    const y = value(reduce(cx, kind, x, pattern, given(sizes)));
    expect(shapeOf(y)).toBe(type);
    const op = kind === 'max' ? 'reduce_max' : kind;
    expect(operators(cx.build).join(' ')).toBe(ops.replace('reduce', op));
    const { tensors, y: actual } = compute(cx.build, [x], y, dims);
    const expected = naive(pattern, tensors, names, kind);
    expect(actual.shape).toEqual(expected.shape);
    for (const [i, number] of expected.data.entries()) expect(actual.data[i]).toBeCloseTo(number, 9);
  });

  it('reduces the axes of `...`', () => {
    const { cx, x } = inputs([[2, 3, 4]]);
    const y = value(reduce(cx, kind, x, 'b ... -> b', new Map()));
    const { tensors, y: actual } = compute(cx.build, [x], y);
    const expected = naive('b c d -> b', tensors, { b: 2, c: 3, d: 4 }, kind);
    for (const [i, number] of expected.data.entries()) expect(actual.data[i]).toBeCloseTo(number, 9);
  });
});
