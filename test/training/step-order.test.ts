import { expect, test } from 'vitest';
import { constant } from '../../compiler/dims/dim.ts';
import { Builder } from '../../compiler/graphs/builder.ts';
import { depthFirst } from '../../compiler/graphs/node-order.ts';
import { NumberHeap } from '../../compiler/graphs/number-heap.ts';
import { read } from '../../compiler/graphs/read.ts';
import { verify } from '../../compiler/graphs/verify.ts';
import type { Node } from '../../compiler/ir/graph.ts';
import { differentiate } from '../../compiler/training/differentiated.ts';
import { trainingStep } from '../../compiler/training/step.ts';
import { forDepthFirst, gatheredEarly } from '../../compiler/training/step-order.ts';
import { trainingOf } from './interpret-step.ts';
import { deepSource } from './sources.ts';

const source = deepSource({ layers: 4, rows: 4, dim: 8, batch: 2 });

/** The layers whose gradients are added to the norm, in the order in which they are. */
function gathered(nodes: readonly Node[]): readonly number[] {
  const depth = new Map<Node, number>();
  const found: number[] = [];
  for (const node of nodes) {
    const [, layer] = /layers\.(\d)/.exec(node.origin.path) ?? [];
    const behind = node.inputs.map((input) => depth.get(input.node) ?? 9);
    const own = layer === undefined || !node.origin.label.startsWith('gradient') ? 9 : Number(layer);
    depth.set(node, Math.min(own, ...behind));
    if (node.origin.label === 'norm of the gradients' && node.op === 'sum') found.push(depth.get(node)!);
  }
  return found;
}

test.each([[[]], [['stack.layers.*']]])(
  'gradients are gathered layer by layer, the last one first: recomputing %j',
  (modules) => {
    const { graph } = trainingStep(differentiate(trainingOf(source), modules), { packed: true });
    expect(verify(graph)).toEqual([]);
    const run = depthFirst(graph.nodes);
    expect(new Set(run)).toEqual(new Set(graph.nodes));
    const layers = gathered(run).slice(0, -1);
    expect(layers).toEqual([...layers].sort().reverse());
    expect(new Set(layers)).toEqual(new Set([0, 1, 2, 3]));
  },
);

const chain = `graph "G" ""
%0 = input name="x" : f32[4]
%1 = exp %0 : f32[4]
%2 = neg %1 : f32[4]
%3 = abs %2 : f32[4]
%4 = sqrt %2 : f32[4]
%5 = add %3, %4 : f32[4]
%6 = mul %4, %1 : f32[4]
input "x" = %0 ""
output "y" = %5 ""
output "z" = %6 ""
`;
const ops = (nodes: readonly Node[]) => nodes.map(({ op }) => op);

test('a depth-first runtime runs the nodes in the given order', () => {
  const { nodes } = read(chain);
  const ordered = forDepthFirst(nodes);
  expect(ops(ordered)).not.toEqual(ops(nodes));
  expect(ops(depthFirst(ordered))).toEqual(ops(nodes));
});

test('what waits for a node runs behind it, though nothing else says so', () => {
  const { nodes } = read(chain);
  const [abs, sqrt] = [nodes[3]!, nodes[4]!];
  expect(ops(depthFirst(forDepthFirst(nodes, new Map([[abs, sqrt]]))))).toEqual([
    'input',
    'exp',
    'neg',
    'sqrt',
    'abs',
    'add',
    'mul',
  ]);
});

test('what gathers gradients runs right behind what it reads', () => {
  const build = new Builder(read(chain).facts);
  const x = build.input('x', { dtype: 'f32', shape: [constant(4)] });
  const first = build.exp(x);
  build.sqrt(first);
  build.origin = { ...build.origin, label: 'pack' };
  build.neg(first);
  expect(ops(gatheredEarly(build.nodes))).toEqual(['input', 'exp', 'neg', 'sqrt']);
});

test('a heap gives numbers back in order', () => {
  const heap = new NumberHeap();
  for (const item of [5, 1, 4, 1, 9, 2, 6]) heap.push(item);
  expect(Array.from({ length: 8 }, () => heap.pop())).toEqual([1, 1, 2, 4, 5, 6, 9, undefined]);
});
