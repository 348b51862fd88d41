import { expect, test } from 'vitest';
import { inferredShapes, type PartialShape } from '../../../compiler/emit/onnx/inferred-shapes.ts';
import { int, ints, type OnnxGraph, type OnnxNode } from '../../../compiler/emit/onnx/model.ts';
import { tensor } from '../../../compiler/ir/tensor-data.ts';

const info = (name: string, shape: readonly number[]) => ({ name, dtype: 'f32' as const, shape, docs: '' });

function node(op: string, inputs: string, attributes: OnnxNode['attributes'] = {}): Omit<OnnxNode, 'outputs'> {
  return { name: op, op, inputs: inputs.split(' '), attributes, docs: '' };
}

/** Infers the shape of one result, of operands of unknown sizes (`x`, a Reshape's) or known ones (`w`, `k`, a stored `axes`). */
function inferred(
  given: Omit<OnnxNode, 'outputs'>,
  real: readonly number[],
  { x = [5, 4, 3], w = [3], k = [3], axes = [1] }: Readonly<Record<string, readonly number[]>> = {},
): PartialShape {
  const graph: OnnxGraph = {
    name: '',
    nodes: [
      { ...node('Reshape', 'fed axes'), outputs: ['x'] },
      { ...given, outputs: ['y'] },
    ],
    initialisers: [
      {
        name: 'axes',
        dtype: 'i64',
        dims: [axes.length],
        source: { kind: 'data', tensor: tensor('i64', [axes.length], axes) },
        transposes: [],
        docs: '',
      },
    ],
    inputs: [info('fed', x), info('w', w), info('k', k)],
    outputs: [],
    values: [info('x', x), info('y', real)],
    draws: [],
  };
  return inferredShapes(graph).get('y')!;
}

const _ = undefined;

interface Case {
  readonly name: string;
  readonly of: Omit<OnnxNode, 'outputs'>;
  readonly real: readonly number[];
  readonly wanted: PartialShape;
  readonly given?: Readonly<Record<string, readonly number[]>>;
}

// onnx.shape_inference (1.23.2) gives the same for these nodes, where the target of a Reshape is an input.
test.each<Case>([
  { name: 'broadcast', of: node('Add', 'x w'), real: [5, 4, 3], wanted: [_, _, 3] },
  { name: 'broadcast of 1', of: node('Add', 'x w'), real: [5, 4, 3], wanted: [_, _, _], given: { w: [1] } },
  { name: 'one operand', of: node('Tanh', 'x'), real: [5, 4, 3], wanted: [_, _, _] },
  { name: 'a matrix product', of: node('MatMul', 'x w'), real: [5, 4, 7], wanted: [_, _, 7], given: { w: [3, 7] } },
  {
    name: 'a permutation',
    of: node('Transpose', 'w', { perm: ints([1, 0]) }),
    real: [7, 3],
    wanted: [7, 3],
    given: { w: [3, 7] },
  },
  {
    name: 'a concatenation',
    of: node('Concat', 'x w', { axis: int(-1) }),
    real: [5, 4, 10],
    wanted: [5, 4, _],
    given: { w: [5, 4, 7] },
  },
  {
    name: 'parts',
    of: node('Split', 'w axes', { axis: int(0) }),
    real: [6, 7],
    wanted: [6, 7],
    given: { w: [6, 7], axes: [6] },
  },
  {
    name: 'rows',
    of: node('Gather', 'w x', { axis: int(0) }),
    real: [5, 4, 3, 7],
    wanted: [_, _, _, 7],
    given: { w: [9, 7] },
  },
  { name: 'a sum', of: node('ReduceSum', 'x axes', { keepdims: int(1) }), real: [5, 1, 3], wanted: [_, 1, _] },
  {
    name: 'a sum without its axis',
    of: node('ReduceSum', 'w axes', { keepdims: int(0) }),
    real: [3],
    wanted: [3],
    given: { w: [3, 7], axes: [-1] },
  },
  {
    name: 'copies',
    of: node('Expand', 'x axes'),
    real: [5, 4, 3],
    wanted: [_, 4, _],
    given: { x: [5, 1, 3], axes: [1, 4, 1] },
  },
  {
    name: 'a convolution',
    of: node('Conv', 'w k'),
    real: [2, 7, 6, 6],
    wanted: [2, 7, 6, 6],
    given: { w: [2, 3, 8, 8], k: [7, 3, 3, 3] },
  },
  {
    name: 'a convolution of an image',
    of: node('Conv', 'x k'),
    real: [2, 7, 6, 6],
    wanted: [_, _, _, _],
    given: { x: [2, 3, 8, 8], k: [7, 3, 3, 3] },
  },
  { name: 'a reshape', of: node('Reshape', 'w axes'), real: [3], wanted: [_] },
])('$name', ({ of, real, wanted, given }) => {
  expect(inferred(of, real, given)).toEqual(wanted);
});
