import { describe, expect, it } from 'vitest';
import { constant } from '../../compiler/dims/dim.ts';
import { bindDims } from '../../compiler/graphs/bind.ts';
import { costByModule } from '../../compiler/graphs/cost.ts';
import { interpret } from '../../compiler/graphs/interpret.ts';
import { memory } from '../../compiler/graphs/liveness.ts';
import { read } from '../../compiler/graphs/read.ts';
import { verify } from '../../compiler/graphs/verify.ts';
import { print } from '../../compiler/ir/print.ts';
import { tensor } from '../../compiler/ir/tensor-data.ts';

const graph = read(`graph "G" ""
fact H mod 2 == 0
guard "H % 2 == 0" H mod 2 == 0
%0 = input name="x" : f32[B, H]
%1 = weight path="head.w" role="param" init=zeros() decay=true keepF32=false : f32[3]  // head
%2 = reshape %0 shape=[B, floor(H/2), 2, 1] : f32[B, floor(H/2), 2, 1]  // body
%3 = sum %2 axes=[1, 2] keep=false : f32[B, 1]  // body
%4 = mul %3, %1 : f32[B, 3]  // head.scale
%5 = dim value=H + 1 : i32[]
%6 = cast %5 dtype=f32 : f32[]
%7 = add %4, %6 : f32[B, 3]  // head.shift
input "x" = %0 ""
output "y" = %7 ""
`);
const unbound = `%0 = dim value=H : i32[]
output "y" = %0 ""
`;
const x = tensor('f32', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]);
const ramp = (_path: string, shape: readonly number[]) => tensor('f32', shape, [1, 10, 100]);

describe('interpret', () => {
  it('runs the reference kernels, with dims read off the feeds', () => {
    expect(verify(graph)).toEqual([]);
    const y = interpret(graph, new Map([['x', x]]), ramp).get('y');
    expect(y?.shape).toEqual([2, 3]);
    expect(Array.from(y!.data)).toEqual([15, 105, 1005, 31, 265, 2605]);
  });

  it('says which feed is missing or misshapen', () => {
    expect(() => interpret(graph, new Map(), ramp)).toThrow('input x is not fed');
    const flat = new Map([['x', tensor('f32', [8], x.data)]]);
    expect(() => interpret(graph, flat, ramp)).toThrow('input x is [8], wanted 2 axes');
    const bound = bindDims(graph, new Map([['H', constant(6)]]));
    expect(() => interpret(bound, new Map([['x', x]]), ramp)).toThrow('input x is [2, 4], wanted [2, 6]');
    expect(() => interpret(read(unbound), new Map(), ramp)).toThrow('the dim H is known neither');
  });
});

describe('bindDims', () => {
  it('puts sizes in place of names, and drops what they settle', () => {
    const bound = bindDims(graph, new Map([['H', constant(4)]]));
    expect(verify(bound)).toEqual([]);
    expect(print(bound)).toContain('%2 = reshape %0 shape=[B, 2, 2, 1] : f32[B, 2, 2, 1]');
    expect(print(bound)).not.toMatch(/H|guard|fact/);
    expect(interpret(bound, new Map([['x', x]]), ramp)).toEqual(interpret(graph, new Map([['x', x]]), ramp));
  });

  it('keeps facts that sizes break, as contradictions', () => {
    const bound = bindDims(graph, new Map([['H', constant(5)]]));
    expect(bound.facts.clauses).toHaveLength(1);
    expect(bound.guards).toHaveLength(1);
  });
});

describe('costByModule', () => {
  it('adds up what is below each path', () => {
    const costs = costByModule(graph);
    expect([...costs.keys()]).toEqual(['', 'head', 'body', 'head.scale', 'head.shift']);
    expect(costs.get('head.scale')).toMatchObject({ nodes: 1, flops: { key: expect.stringContaining('B') } });
    expect(costs.get('head')?.nodes).toBe(3);
    expect(costs.get('')?.nodes).toBe(graph.nodes.length);
    const at = bindDims(
      graph,
      new Map([
        ['B', constant(2)],
        ['H', constant(4)],
      ]),
    );
    // 8 additions in the sum, 6 products, 6 additions.
    const total = costByModule(at).get('')!;
    expect(total.flops).toEqual(constant(8 + 6 + 6));
    expect(total.parameters).toEqual(constant(3));
  });
});

describe('memory', () => {
  it('is the most that is alive at once, with reshapes for free', () => {
    const sizes = new Map([
      ['B', 2],
      ['H', 100],
    ]);
    const { weightBytes, peakBytes, peakAt } = memory(graph, sizes);
    expect(weightBytes).toBe(12);
    // x (and its reshape, in the same bytes) while the sum is written.
    expect(peakBytes).toBe(800 + 8);
    expect(peakAt?.op).toBe('sum');
  });
});
