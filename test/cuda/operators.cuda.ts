import { expect, test } from 'vitest';
import { Facts } from '../../compiler/dims/facts.ts';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { Builder } from '../../compiler/graphs/builder.ts';
import type { GraphInput, GraphOutput } from '../../compiler/ir/graph.ts';
import type { OpAttributes, OpName } from '../../compiler/ir/names.ts';
import { opNames } from '../../compiler/ops/table.ts';
import { samples, typeOf } from '../ops/samples.ts';
import { placedOnCuda } from './placed.ts';

const elsewhereIn = placedOnCuda();

/** Operators of onnxruntime that do not run on CUDA, of samples of an operator. */
async function elsewhere(op: OpName, count: number): Promise<readonly string[]> {
  const build = new Builder(Facts.none);
  const inputs: GraphInput[] = [];
  const outputs: GraphOutput[] = [];
  for (const [i, sample] of samples(op, count).entries()) {
    if (isExcepted(op, sample.inputs[0]?.dtype)) continue;
    const given = sample.inputs.map((input, j) => build.input(`s${i}.in${j}`, typeOf(input)));
    const attributes = op === 'uniform' ? { ...sample.attributes, key: `s${i}` } : sample.attributes;
    const values = build.emit(op, given, attributes as OpAttributes[OpName]);
    for (const [j, value] of given.entries()) inputs.push({ name: `s${i}.in${j}`, value, docs: '' });
    for (const [j, value] of values.entries()) outputs.push({ name: `s${i}.out${j}`, value, docs: '' });
  }
  const graph = { name: op, docs: '', inputs, outputs, nodes: build.nodes, facts: Facts.none, guards: [] };
  const emitted = emitOnnx(graph, { producerVersion: 'test' });
  return elsewhereIn(emitted, () => new Float32Array(0), false);
}

/** Whole numbers are padded on the CPU: the provider has kernels for float and bool alone (onnxruntime 1.30). */
const isExcepted = (op: OpName, dtype: string | undefined): boolean => op === 'pad' && dtype === 'i32';

test.each(opNames)('%s runs on CUDA, whatever its operands', async (op) => {
  expect(await elsewhere(op, 24)).toEqual([]);
});
