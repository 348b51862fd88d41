import onnxProto from 'onnx-proto';
import { constant } from '../../../../compiler/dims/dim.ts';
import { Facts } from '../../../../compiler/dims/facts.ts';
import { emitOnnx } from '../../../../compiler/emit/onnx/emit.ts';
import { Builder } from '../../../../compiler/graphs/builder.ts';
import { finish } from '../../../../compiler/graphs/rebuild.ts';
import type { Graph, Value } from '../../../../compiler/ir/graph.ts';
import { encodeOnnx } from '../../../../runtime/onnx/onnx-file.ts';

/** An ONNX model of square f32 matrices: its inputs, and its outputs as functions of them. */
export async function squareModel(
  size: number,
  inputs: readonly string[],
  outputs: Readonly<Record<string, (build: Builder, ...values: Value[]) => Value>>,
): Promise<Uint8Array> {
  const build = new Builder(Facts.none);
  const type = { dtype: 'f32', shape: [constant(size), constant(size)] } as const;
  const values = inputs.map((name) => build.input(name, type));
  return encoded(build, {
    inputs: inputs.map((name, i) => port(name, values[i]!)),
    outputs: Object.entries(outputs).map(([name, of]) => port(name, of(build, ...values))),
  });
}

/** A model that takes one of `count` elements: `row` = `rows`[`index`]. */
export function rowModel(count: number): Promise<Uint8Array> {
  const build = new Builder(Facts.none);
  const rows = build.input('rows', { dtype: 'f32', shape: [constant(count)] });
  const index = build.input('index', { dtype: 'i32', shape: [constant(1)] });
  const inputs = [port('rows', rows), port('index', index)];
  return encoded(build, { inputs, outputs: [port('row', build.gather(rows, index))] });
}

const port = (name: string, value: Value) => ({ name, value, docs: '' });

function encoded(build: Builder, ports: Pick<Graph, 'inputs' | 'outputs'>): Promise<Uint8Array> {
  const graph = finish({ name: 'test', docs: '', ...ports, facts: Facts.none, guards: [] }, build.nodes);
  return encodeOnnx(emitOnnx(graph, { producerVersion: 'test' }), {
    read(): never {
      throw new Error('no weights');
    },
  });
}

/** A product of many matrices: `y` = `x` to the power of `times` + 1. */
export function powerModel(size: number, times: number): Promise<Uint8Array> {
  const power = (build: Builder, x: Value) => {
    let y = x;
    for (let i = 0; i < times; i++) y = build.matmul(y, x);
    return y;
  };
  return squareModel(size, ['x'], { y: (build, x) => power(build, x!) });
}

/** A model with control flow: `y` = `x` + `x` for f32[2, 2], row by row. */
export function scanModel(): Uint8Array {
  const { GraphProto, ModelProto } = onnxProto.onnx;
  const port = (name: string, sizes: readonly number[]) => ({
    name,
    type: { tensorType: { elemType: 1, shape: { dim: sizes.map((dimValue) => ({ dimValue })) } } },
  });
  const body = GraphProto.create({
    name: 'body',
    node: [{ opType: 'Add', input: ['row', 'row'], output: ['twice'] }],
    input: [port('row', [2])],
    output: [port('twice', [2])],
  });
  return ModelProto.encode(
    ModelProto.create({
      irVersion: 8,
      opsetImport: [{ domain: '', version: 17 }],
      graph: {
        name: 'scan',
        node: [
          {
            opType: 'Scan',
            input: ['x'],
            output: ['y'],
            attribute: [
              { name: 'body', type: 5, g: body },
              { name: 'num_scan_inputs', type: 2, i: 1 },
            ],
          },
        ],
        input: [port('x', [2, 2])],
        output: [port('y', [2, 2])],
      },
    }),
  ).finish();
}
