import { describe, expect, it } from 'vitest';
import { read } from '../../compiler/graphs/read.ts';
import { foldConstants } from '../../compiler/passes/fold-constants.ts';
import { roundConstants } from '../../compiler/passes/round-constants.ts';
import { nodesOf, transformed } from './equivalence.ts';

describe('constant folding', () => {
  it('computes index arithmetic down to one constant', () => {
    const text = transformed(
      foldConstants,
      `%0 = input name="x" : f32[B, 4]
%1 = iota n=4 : i32[4]
%2 = reshape %1 shape=[4, 1] : i32[4, 1]
%3 = iota n=3 : i32[3]
%4 = dim value=3 : i32[]
%5 = mul %2, %4 : i32[4, 1]
%6 = add %5, %3 : i32[4, 3]
%7 = cast %6 dtype=f32 : f32[4, 3]
%8 = matmul %0, %7 : f32[B, 3]
input "x" = %0 ""
output "y" = %8 ""
`,
    );
    expect(text).toMatchInlineSnapshot(`
      "%1 = constant tensor=f32[4, 3](0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11) : f32[4, 3]
      %2 = matmul %0, %1 : f32[B, 3]
      y = %2"
    `);
  });

  it('leaves generators as they are, and writes one number as full', () => {
    const text = transformed(
      foldConstants,
      `%0 = input name="x" : f32[B, 4]
%1 = iota n=4 : i32[4]
%2 = cast %1 dtype=f32 : f32[4]
%3 = broadcast %2 shape=[3, 1, 4] : f32[3, 1, 4]
%4 = full value=2 dtype=f32 shape=[4] : f32[4]
%5 = exp %4 : f32[4]
%6 = mul %0, %5 : f32[B, 4]
%7 = add %3, %6 : f32[3, B, 4]
input "x" = %0 ""
output "y" = %7 ""
output "n" = %1 ""
`,
    );
    expect(text).toMatchInlineSnapshot(`
      "%1 = iota n=4 : i32[4]
      %2 = constant tensor=f32[4](0, 1, 2, 3) : f32[4]
      %3 = broadcast %2 shape=[3, 1, 4] : f32[3, 1, 4]
      %4 = full value=7.38905609893065 dtype=f32 shape=[4] : f32[4]
      %5 = mul %0, %4 : f32[B, 4]
      %6 = add %3, %5 : f32[3, B, 4]
      y = %6
      n = %1"
    `);
  });

  it('folds what facts make static, and nothing that stays free', () => {
    const text = transformed(
      foldConstants,
      `fact H == 3
%0 = input name="x" : f32[H, W]
%1 = dim value=H + 1 : i32[]
%2 = dim value=W : i32[]
%3 = add %1, %2 : i32[]
%4 = cast %3 dtype=f32 : f32[]
%5 = add %0, %4 : f32[H, W]
input "x" = %0 ""
output "y" = %5 ""
`,
    );
    expect(text).toContain('full value=4 dtype=i32');
    expect(text).toContain('dim value=W');
  });

  it('leaves to the run what is too large to store, and folds up to there', () => {
    const graph = read(`%0 = iota n=5000 : i32[5000]
%1 = neg %0 : i32[5000]
%2 = reshape %1 shape=[5000, 1] : i32[5000, 1]
%3 = add %0, %2 : i32[5000, 5000]
output "y" = %3 ""
`);
    const text = nodesOf(foldConstants(graph));
    expect(text.replace(/"[^"]*"/, '"…"')).toMatchInlineSnapshot(`
      "%0 = iota n=5000 : i32[5000]
      %1 = constant tensor=i32[5000, 1](i32 "…") : i32[5000, 1]
      %2 = add %0, %1 : i32[5000, 5000]
      y = %2"
    `);
  });

  it('gives back a graph without constants', () => {
    const graph = read(`%0 = input name="x" : f32[B]
%1 = neg %0 : f32[B]
input "x" = %0 ""
output "y" = %1 ""
`);
    expect(foldConstants(graph)).toBe(graph);
  });
});

describe('rounding', () => {
  it('makes float32 of what was folded in float64, once', () => {
    const graph = read(`%0 = constant tensor=f32[2](0.1, 0.5) : f32[2]
%1 = full value=0.1 dtype=f32 shape=[] : f32[]
%2 = mul %0, %1 : f32[2]
output "y" = %2 ""
`);
    const rounded = roundConstants(graph);
    expect(nodesOf(rounded)).toMatchInlineSnapshot(`
      "%0 = constant tensor=f32[2](0.10000000149011612, 0.5) : f32[2]
      %1 = full value=0.10000000149011612 dtype=f32 shape=[] : f32[]
      %2 = mul %0, %1 : f32[2]
      y = %2"
    `);
    expect(roundConstants(rounded)).toBe(rounded);
  });
});

it('an index that is out of range is left to the run, with what is made of it', () => {
  const ops = (row: number) => {
    const graph = read(`%0 = iota n=3 : i32[3]
%1 = full value=${row} dtype=i32 shape=[3] : i32[3]
%2 = gather %0, %1 : i32[3]
%3 = scatter_add %2, %0 rows=2 apart=false : i32[2]
%4 = add %3, %3 : i32[2]
output "y" = %4 ""
`);
    return foldConstants(graph).nodes.map(({ op }) => op);
  };
  expect(ops(1)).toEqual(['constant']);
  // The gather has no such row, or what it gives is none of the sum's.
  expect(ops(3)).toEqual(['iota', 'full', 'gather', 'scatter_add', 'add']);
  expect(ops(-1)).toEqual(['iota', 'full', 'gather', 'scatter_add', 'add']);
  expect(ops(2)).toEqual(['iota', 'full', 'scatter_add', 'add']);
});
