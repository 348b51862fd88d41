import { describe, expect, it } from 'vitest';
import { read } from '../../compiler/graphs/read.ts';
import { verify } from '../../compiler/graphs/verify.ts';
import type { Graph } from '../../compiler/ir/graph.ts';

const sound = `graph "G" ""
%0 = input name="x" : f32[B, 4]
%1 = weight path="w" role="param" init=zeros() decay=true keepF32=false : f32[4, 3]
%2 = matmul %0, %1 : f32[B, 3]
input "x" = %0 ""
output "y" = %2 ""
`;

function broken(from: string, to: string): string[] {
  expect(sound).toContain(from);
  return verify(read(sound.replace(from, to)));
}

describe('verify', () => {
  it('finds nothing in a sound graph', () => {
    expect(verify(read(sound))).toEqual([]);
  });

  it.each([
    ['a wrong type', '%1 : f32[B, 3]', '%1 : f32[B, 4]', 'types are what'],
    ['an ill-typed application', 'matmul', 'add', 'types are what'],
    ['a dead node', 'input "x"', '%9 = neg %0 : f32[B, 4]\ninput "x"', 'every node but an input'],
    ['two outputs of one name', 'output "y"', 'output "y" = %0 ""\noutput "y"', 'names of outputs'],
    ['an input under another name', 'input "x" =', 'input "z" =', "the graph's inputs are"],
    ['an input that is none', 'input "x" = %0 ""', 'input "x" = %0 ""\ninput "w" = %1 ""', "the graph's inputs are"],
    ['a weight with a free dim', ': f32[4, 3]', ': f32[4, K]', 'weights have static shapes'],
    [
      'two weights of one path',
      '%2 = matmul %0, %1 : f32[B, 3]',
      '%3 = weight path="w" role="param" init=zeros() decay=true keepF32=false : f32[4, 3]\n%4 = add %1, %3 : f32[4, 3]\n%2 = matmul %0, %4 : f32[B, 3]',
      'paths of weights',
    ],
    [
      'two random draws of one key',
      '%2 = matmul %0, %1 : f32[B, 3]',
      '%3 = uniform shape=[4, 3] key="k" : f32[4, 3]\n%4 = uniform shape=[4, 3] key="k" : f32[4, 3]\n%5 = add %3, %4 : f32[4, 3]\n%6 = add %5, %1 : f32[4, 3]\n%2 = matmul %0, %6 : f32[B, 3]',
      'keys of random draws',
    ],
  ])('finds %s', (_what, from, to, invariant) => {
    expect(broken(from, to).join('\n')).toContain(invariant);
  });

  it('finds nodes out of order, twice, missing, and with foreign results', () => {
    const graph = read(sound);
    const [x, w, y] = [graph.nodes[0]!, graph.nodes[1]!, graph.nodes[2]!];
    const with_ = (nodes: Graph['nodes']): string => verify({ ...graph, nodes }).join('\n');
    expect(with_([x, y, w])).toContain('after the nodes whose results they read');
    expect(with_([x, w, w, y])).toContain('nodes come once');
    expect(with_([x, w])).toContain('are values of its nodes');
    expect(with_([x, { ...w }, y])).toContain('knows its node');
    expect(with_([x, w, { ...y, id: w.id, outputs: [...y.outputs] }])).toContain('ids are unique');
  });
});
