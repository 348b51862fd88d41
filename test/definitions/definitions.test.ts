import { describe, expect, test } from 'vitest';
import { definitionOf } from '../../compiler/definitions/table.ts';
import { constant, type Dim, variable } from '../../compiler/dims/dim.ts';
import { Facts } from '../../compiler/dims/facts.ts';
import { Builder } from '../../compiler/graphs/builder.ts';
import { interpret } from '../../compiler/graphs/interpret.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { OpAttributes, OpName } from '../../compiler/ir/names.ts';
import type { TensorData, TensorType } from '../../compiler/ir/types.ts';
import { seededRandom } from '../../compiler/ops/random.ts';
import { floats } from '../../compiler/ops/sampling.ts';
import { opNames } from '../../compiler/ops/table.ts';
import { rowOf, samples, spell, typeOf } from '../ops/samples.ts';

const composites = opNames.filter((op) => definitionOf(op) !== undefined);

/** The definition as a graph of its own. */
function defined<O extends OpName>(op: O, types: readonly TensorType[], attributes: OpAttributes[O]) {
  const build = new Builder(Facts.none);
  const inputs = types.map((type, i) => ({ name: `x${i}`, value: build.input(`x${i}`, type), docs: '' }));
  const values = definitionOf(op)!(
    build,
    inputs.map(({ value }) => value),
    attributes,
  );
  const outputs = values.map((value, i) => ({ name: `y${i}`, value, docs: '' }));
  return { name: op, docs: '', inputs, outputs, nodes: build.nodes, facts: Facts.none, guards: [] } satisfies Graph;
}

function run(graph: Graph, inputs: readonly TensorData[]): TensorData[] {
  const results = interpret(graph, new Map(inputs.map((x, i) => [`x${i}`, x])), () => {
    throw new Error('a definition has no weights');
  });
  return [...results.values()];
}

function expectSame(actual: readonly TensorData[], expected: readonly TensorData[]): void {
  expect(actual.map((x) => spell(typeOf(x)))).toEqual(expected.map((x) => spell(typeOf(x))));
  for (const [i, { data }] of expected.entries())
    for (const [j, value] of data.entries()) expect(actual[i]!.data[j]).toBeCloseTo(value, 9);
}

test('exactly the composite operators have definitions', () => {
  expect(composites).toEqual(['mean', 'softmax', 'log_softmax', 'layer_norm', 'gelu', 'max_pool2d', 'grid_sample']);
});

describe.each(composites)('%s', (op) => {
  test('its definition computes what its kernel does', () => {
    for (const { inputs, attributes } of samples(op, 50)) {
      const graph = defined(op, inputs.map(typeOf), attributes);
      expectSame(run(graph, inputs), rowOf(op).reference(inputs, attributes));
    }
  });
  test('its definition uses core operators only', () => {
    for (const { inputs, attributes } of samples(op, 20))
      for (const node of defined(op, inputs.map(typeOf), attributes).nodes) expect(composites).not.toContain(node.op);
  });
});

describe('with symbolic dims', () => {
  const [B, C, H, W, P] = ['B', 'C', 'H', 'W', 'P'].map((name) => variable(name)) as [Dim, Dim, Dim, Dim, Dim];
  const f32 = (...shape: Dim[]): TensorType => ({ dtype: 'f32', shape });
  const cases: { [O in OpName]?: { types: TensorType[]; attributes: OpAttributes[O]; sizes: number[][][] } } = {
    mean: {
      types: [f32(B, C, H)],
      attributes: { axes: [1, 2], keep: false },
      sizes: [[[2, 3, 4]], [[1, 1, 3]]],
    },
    softmax: { types: [f32(B, C)], attributes: { axis: 1 }, sizes: [[[2, 3]], [[1, 1]]] },
    log_softmax: { types: [f32(B, C)], attributes: { axis: 0 }, sizes: [[[2, 3]], [[1, 1]]] },
    layer_norm: {
      types: [f32(B, P, C), f32(C), f32(C)],
      attributes: { eps: 1e-5 },
      sizes: [
        [[2, 3, 4], [4], [4]],
        [[1, 2, 3], [3], [3]],
      ],
    },
    gelu: { types: [f32(B, C)], attributes: { approximate: true }, sizes: [[[2, 3]]] },
    max_pool2d: {
      types: [f32(B, C, H, W)],
      attributes: { kernel: [3, 2], stride: [2, 2], pad: [1, 0, 1, 1] },
      sizes: [[[1, 2, 1, 1]], [[2, 1, 6, 7]], [[1, 1, 5, 4]]],
    },
    grid_sample: {
      types: [f32(B, C, H, W), f32(B, P, constant(2))],
      attributes: {},
      sizes: [
        [
          [2, 3, 4, 5],
          [2, 6, 2],
        ],
        [
          [1, 1, 3, 3],
          [1, 1, 2],
        ],
      ],
    },
  };
  test.each(composites)('%s', (op) => {
    const { types, attributes, sizes } = cases[op]!;
    const graph = defined(op, types, attributes);
    const inferred = rowOf(op).infer(types, attributes, Facts.none);
    if ('fault' in inferred) throw new Error(inferred.fault.constraint);
    const show = ({ dtype, shape }: TensorType) => `${dtype}[${shape.map((dim) => Facts.none.show(dim)).join(', ')}]`;
    expect(graph.outputs.map(({ value }) => show(value.type))).toEqual(inferred.types.map(show));
    for (const shapes of sizes) {
      const random = seededRandom(shapes.length);
      const inputs = shapes.map((shape) => floats(random, shape));
      expectSame(run(graph, inputs), rowOf(op).reference(inputs, attributes));
    }
  });
});
