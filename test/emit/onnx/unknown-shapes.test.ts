import { expect, test } from 'vitest';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { withUnknownShapes } from '../../../compiler/emit/onnx/unknown-shapes.ts';
import { read } from '../../../compiler/graphs/read.ts';
import { tensor } from '../../../compiler/ir/tensor-data.ts';
import { runOnnx } from './session.ts';

const model = emitOnnx(
  read(`graph "G" ""
%0 = input name="x" : f32[2, 6]
%1 = input name="w" : f32[3, 2]
%2 = exp %0 : f32[2, 6]
%3 = reshape %2 shape=[4, 3] : f32[4, 3]
%4 = matmul %3, %1 : f32[4, 2]
input "x" = %0 ""
input "w" = %1 ""
output "y" = %4 ""
`),
  { producerVersion: '' },
);
const unknown = withUnknownShapes(model, new Set(['x']));

test('targets of reshapes are inputs with default values, and what is fed goes through one', () => {
  const { inputs, initialisers, nodes, values } = unknown.graph;
  expect(values).toEqual([]);
  expect(nodes.map(({ op }) => op)).toEqual(['Reshape', ...model.graph.nodes.map(({ op }) => op)]);
  const targets = nodes.filter(({ op }) => op === 'Reshape').map((node) => node.inputs[1]!);
  expect(inputs.map(({ name }) => name)).toEqual(['x', 'w', ...[...targets].reverse()]);
  // Not even the rank of what a Reshape gives is known.
  expect(inputs.slice(2).map(({ shape }) => shape)).toEqual([[undefined], [undefined]]);
  const stored = new Set(initialisers.map(({ name }) => name));
  expect(targets.map((name) => stored.has(name))).toEqual([true, true]);
  expect(nodes.slice(1).some((node) => node.inputs.includes('x'))).toBe(false);
});

test('it computes the same without being fed the targets', async () => {
  const feeds = new Map([
    [
      'x',
      tensor(
        'f32',
        [2, 6],
        Array.from({ length: 12 }, (_, i) => i / 8),
      ),
    ],
    ['w', tensor('f32', [3, 2], [1, -2, 0.5, 1, 2, -1])],
  ]);
  expect(await runOnnx(unknown, feeds)).toEqual(await runOnnx(model, feeds));
});
