import { describe, expect, it, test } from 'vitest';
import { asConstant, constant, type Dim } from '../../compiler/dims/dim.ts';
import { read } from '../../compiler/graphs/read.ts';
import { verify } from '../../compiler/graphs/verify.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { print } from '../../compiler/ir/print.ts';
import { seededRandom } from '../../compiler/ops/random.ts';
import { associationRules } from '../../compiler/passes/associate.ts';
import { mergeCommonSubexpressions } from '../../compiler/passes/common-subexpressions.ts';
import { eliminateDeadCode } from '../../compiler/passes/dead-code.ts';
import { mixtureRules } from '../../compiler/passes/mixtures.ts';
import { productRules } from '../../compiler/passes/product-before-sum.ts';
import { applyRules } from '../../compiler/passes/rule.ts';
import { work } from '../../compiler/passes/work.ts';
import { drawnSeed } from '../seed.ts';
import { expectSameResults, nodesOf } from './equivalence.ts';
import { randomGraph } from './random-graph.ts';

const rules = [...associationRules, ...productRules, ...mixtureRules];

/** Infinite beyond 2^53, where nothing is compared. */
function workOf(graph: Graph): number {
  return asConstant(work(graph.nodes, { expected: graph.expected ?? new Map() })) ?? Number.POSITIVE_INFINITY;
}

describe('products in other brackets, in random graphs', () => {
  const sizes = new Map([
    ['B', 2],
    ['H', 6],
  ]);

  it('compute the same, cost no more, and settle', () => {
    const fired = new Map<string, number>();
    for (let i = 1; i <= 300; i++) {
      const seed = drawnSeed(i);
      const before = mergeCommonSubexpressions(eliminateDeadCode(randomGraph(seededRandom(seed), 12, 'products')));
      const count = (rule: string, _node: unknown, miss: unknown) =>
        miss === undefined && fired.set(rule, (fired.get(rule) ?? 0) + 1);
      const after = eliminateDeadCode(applyRules(before, rules, count));
      const text = `seed ${seed}:\n${print(before)}\nbecame\n${print(after)}`;
      expect(verify(after), text).toEqual([]);
      expectSameResults(before, after, seed, sizes);
      expect(workOf(after), text).toBeLessThanOrEqual(workOf(before));
      let settled = after;
      for (let i = 0; i < 3; i++) settled = eliminateDeadCode(applyRules(settled, rules));
      expect(print(applyRules(settled, rules)), text).toBe(print(settled));
    }
    for (const { name } of rules) expect(fired.get(name) ?? 0, name).toBeGreaterThan(10);
  });
});

/** Four heads of 16 over N pixels, of which few or many ask. */
function attention(expected: ReadonlyMap<string, Dim>, facts = '', words = 'T'): string {
  const text = `${facts}%0 = input name="words" : f32[B, 4, T, 16]
%1 = input name="pixels" : f32[B, N, 64]
%2 = weight path="k" role="param" init=zeros() decay=true keepF32=false : f32[64, 64]
%3 = weight path="b" role="param" init=zeros() decay=true keepF32=false : f32[64]
%4 = matmul %1, %2 : f32[B, N, 64]
%5 = add %4, %3 : f32[B, N, 64]
%6 = reshape %5 shape=[B, N, 4, 16] : f32[B, N, 4, 16]
%7 = transpose %6 perm=[0, 2, 3, 1] : f32[B, 4, 16, N]
%8 = matmul %0, %7 : f32[B, 4, T, N]
input "words" = %0 ""
input "pixels" = %1 ""
output "scores" = %8 ""
`;
  const graph = { ...read(text.replaceAll(/\bT\b/g, words)), expected };
  const after = eliminateDeadCode(applyRules(graph, rules));
  expect(verify(after)).toEqual([]);
  expectSameResults(graph, after);
  return nodesOf(after);
}

describe('the scores of attention', () => {
  const sizes = (T: number, N: number) =>
    new Map([
      ['T', constant(T)],
      ['N', constant(N)],
    ]);
  const asWritten = attention(new Map());

  it('of a few words over many pixels are made without keys of all pixels, whose bias becomes one of the words', () => {
    expect(attention(sizes(8, 20_000))).toMatchInlineSnapshot(`
      "%4 = reshape %2 shape=[64, 4, 16] : f32[64, 4, 16]
      %5 = transpose %4 perm=[1, 2, 0] : f32[4, 16, 64]
      %6 = matmul %0, %5 : f32[B, 4, T, 64]
      %7 = reshape %6 shape=[B, 4*T, 64] : f32[B, 4*T, 64]
      %8 = transpose %1 perm=[0, 2, 1] : f32[B, 64, N]
      %9 = matmul %7, %8 : f32[B, 4*T, N]
      %10 = reshape %9 shape=[B, 4, T, N] : f32[B, 4, T, N]
      %11 = reshape %3 shape=[4, 1, 16] : f32[4, 1, 16]
      %12 = mul %0, %11 : f32[B, 4, T, 16]
      %13 = sum %12 axes=[3] keep=false : f32[B, 4, T]
      %14 = reshape %13 shape=[B, 4, T, 1] : f32[B, 4, T, 1]
      %15 = add %10, %14 : f32[B, 4, T, N]
      scores = %15"
    `);
  });

  it('stay as they are written for many words, and where the sizes leave it open', () => {
    expect(asWritten).toContain('perm=[0, 2, 3, 1]');
    expect(attention(sizes(400, 20_000))).toBe(asWritten);
    expect(attention(new Map([['N', constant(20_000)]]))).toBe(asWritten);
  });

  it('are made in other brackets without expected sizes where facts alone decide', () => {
    const known = attention(sizes(8, 20_000)).replaceAll('4*T', '32').replaceAll(/\bT\b/g, '8');
    expect(attention(new Map(), 'fact 20000 <= N\n', '8')).toBe(known);
  });
});

test('a product with a vector comes before a projection, slices and their sum, whatever the sizes', () => {
  const text = `fact 2000 <= N
%0 = input name="x" : f32[B, 2*N, 64]
%1 = input name="t" : f32[B, 1, 64]
%2 = weight path="w" role="param" init=zeros() decay=true keepF32=false : f32[64, 64]
%3 = weight path="b" role="param" init=zeros() decay=true keepF32=false : f32[64]
%4 = matmul %0, %2 : f32[B, 2*N, 64]
%5 = add %4, %3 : f32[B, 2*N, 64]
%6 = slice %5 start=[0, 0, 0] stop=[B, N, 64] step=[1, 1, 1] : f32[B, N, 64]
%7 = slice %5 start=[0, N, 0] stop=[B, 2*N, 64] step=[1, 1, 1] : f32[B, N, 64]
%8 = add %6, %7 : f32[B, N, 64]
%9 = transpose %8 perm=[0, 2, 1] : f32[B, 64, N]
%10 = matmul %1, %9 : f32[B, 1, N]
input "x" = %0 ""
input "t" = %1 ""
output "y" = %10 ""
`;
  const graph = read(text);
  const after = eliminateDeadCode(applyRules(graph, rules));
  expectSameResults(graph, after);
  expect(nodesOf(after)).toMatchInlineSnapshot(`
    "%4 = reshape %1 shape=[B, 64] : f32[B, 64]
    %5 = transpose %2 perm=[1, 0] : f32[64, 64]
    %6 = matmul %4, %5 : f32[B, 64]
    %7 = reshape %6 shape=[B, 64, 1] : f32[B, 64, 1]
    %8 = matmul %0, %7 : f32[B, 2*N, 1]
    %9 = reshape %3 shape=[64, 1] : f32[64, 1]
    %10 = matmul %4, %9 : f32[B, 1]
    %11 = reshape %10 shape=[B] : f32[B]
    %12 = reshape %11 shape=[B, 1, 1] : f32[B, 1, 1]
    %13 = add %8, %12 : f32[B, 2*N, 1]
    %14 = slice %13 start=[0, 0, 0] stop=[B, N, 1] step=[1, 1, 1] : f32[B, N, 1]
    %15 = slice %13 start=[0, N, 0] stop=[B, 2*N, 1] step=[1, 1, 1] : f32[B, N, 1]
    %16 = add %14, %15 : f32[B, N, 1]
    %17 = transpose %16 perm=[0, 2, 1] : f32[B, 1, N]
    y = %17"
  `);
});

describe('the norm of tokens that attention mixes from a few words', () => {
  /** Over N pixels, with a bias before it and a projection behind it. */
  const normed = (words: number, scores = 'softmax %0 axis=2') => {
    const text = `fact 20000 <= N
%0 = input name="x" : f32[B, N, ${words}]
%1 = input name="v" : f32[B, ${words}, 64]
%2 = weight path="b" role="param" init=zeros() decay=true keepF32=false : f32[64]
%3 = weight path="w" role="param" init=zeros() decay=true keepF32=false : f32[64, 64]
%4 = ${scores} : f32[B, N, ${words}]
%5 = matmul %4, %1 : f32[B, N, 64]
%6 = add %5, %2 : f32[B, N, 64]
%7 = mean %6 axes=[1] keep=true : f32[B, 1, 64]
%8 = sub %6, %7 : f32[B, N, 64]
%9 = mul %8, %8 : f32[B, N, 64]
%10 = mean %9 axes=[1] keep=true : f32[B, 1, 64]
%11 = full value=0.5 dtype=f32 shape=[] : f32[]
%12 = add %10, %11 : f32[B, 1, 64]
%13 = sqrt %12 : f32[B, 1, 64]
%14 = div %8, %13 : f32[B, N, 64]
%15 = matmul %14, %3 : f32[B, N, 64]
input "x" = %0 ""
input "v" = %1 ""
output "y" = %15 ""
`;
    const graph = read(text);
    const after = eliminateDeadCode(applyRules(graph, rules));
    expect(verify(after)).toEqual([]);
    const few = (graph: string) => read(graph.replaceAll('fact 20000 <= N', ''));
    expectSameResults(few(text), few(print(after)));
    return nodesOf(after);
  };

  it('makes everything but the variance of the words, and centres the weights of the words', () => {
    expect(normed(8)).toMatchInlineSnapshot(`
      "%4 = softmax %0 axis=2 : f32[B, N, 8]
      %5 = add %1, %2 : f32[B, 8, 64]
      %6 = mean %4 axes=[1] keep=true : f32[B, 1, 8]
      %7 = sub %4, %6 : f32[B, N, 8]
      %8 = matmul %7, %5 : f32[B, N, 64]
      %9 = mul %8, %8 : f32[B, N, 64]
      %10 = mean %9 axes=[1] keep=true : f32[B, 1, 64]
      %11 = full value=0.5 dtype=f32 shape=[] : f32[]
      %12 = add %10, %11 : f32[B, 1, 64]
      %13 = sqrt %12 : f32[B, 1, 64]
      %14 = div %5, %13 : f32[B, 8, 64]
      %15 = matmul %14, %3 : f32[B, 8, 64]
      %16 = matmul %7, %15 : f32[B, N, 64]
      y = %16"
    `);
  });

  it('stays over the pixels where there are more words than channels', () => {
    expect(normed(80)).toContain('%14 = div %8, %13 : f32[B, N, 64]');
  });

  it('leaves the bias where rows of weights do not sum to 1', () => {
    expect(normed(8, 'tanh %0')).toContain('add %5, %2');
  });
});

test('a product of a matrix with itself is multiplied with a vector by one of its operands', () => {
  const text = `%0 = input name="x" : f32[B, 2048, 2048]
%1 = input name="v" : f32[B, 1, 2048]
%2 = matmul %0, %0 : f32[B, 2048, 2048]
%3 = matmul %1, %2 : f32[B, 1, 2048]
input "x" = %0 ""
input "v" = %1 ""
output "y" = %3 ""
`;
  const after = eliminateDeadCode(applyRules(read(text), productRules));
  expect(verify(after)).toEqual([]);
  const small = (graph: string) => read(graph.replaceAll('2048', '4'));
  expectSameResults(small(text), small(print(after)));
});
