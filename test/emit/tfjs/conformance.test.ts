// slow: every operator in TensorFlow.js

import { expect, test } from 'vitest';
import { Facts } from '../../../compiler/dims/facts.ts';
import { Builder } from '../../../compiler/graphs/builder.ts';
import type { Graph, GraphInput, GraphOutput } from '../../../compiler/ir/graph.ts';
import type { OpAttributes, OpName } from '../../../compiler/ir/names.ts';
import type { TensorData } from '../../../compiler/ir/types.ts';
import { seededRandom } from '../../../compiler/ops/random.ts';
import type { OpRow } from '../../../compiler/ops/row.ts';
import { dims } from '../../../compiler/ops/sampling.ts';
import { opNames, ops } from '../../../compiler/ops/table.ts';
import { drawnSeed } from '../../seed.ts';
import { expectClose } from '../onnx/closeness.ts';
import { runTfjs } from './run.ts';

const samples = 32;

/** Each operator over sampled arguments: its kernel against what TensorFlow.js makes of its lowering. */
test.each(opNames.map((op, i) => [op, i] as const))('%s', async (op, seed) => {
  const random = seededRandom(drawnSeed(seed + 2001));
  const build = new Builder(Facts.none);
  const inputs: GraphInput[] = [];
  const outputs: GraphOutput[] = [];
  const feeds = new Map<string, TensorData>();
  const expected = new Map<string, TensorData>();
  const row = ops[op] as OpRow<OpName>;
  for (let i = 0; i < samples; i++) {
    const sample = row.sample(random);
    const given = sample.inputs.map(({ dtype, shape }, j) =>
      build.input(`s${i}_in${j}`, { dtype, shape: dims(shape) }),
    );
    for (const [j, value] of given.entries()) {
      inputs.push({ name: `s${i}_in${j}`, value, docs: '' });
      feeds.set(`s${i}_in${j}`, sample.inputs[j]!);
    }
    const attributes = (
      op === 'uniform' ? { ...sample.attributes, key: `s${i}` } : sample.attributes
    ) as OpAttributes[OpName];
    const values = build.emit(op, given, attributes);
    for (const [j, data] of row.reference(sample.inputs, attributes).entries()) {
      outputs.push({ name: `s${i}_out${j}`, value: values[j]!, docs: '' });
      expected.set(`s${i}_out${j}`, data);
      if (op === 'uniform') feeds.set(`uniform/s${i}`, data);
    }
  }
  const graph: Graph = { name: op, docs: '', inputs, outputs, nodes: build.nodes, facts: Facts.none, guards: [] };
  const { results, leaked } = await runTfjs(graph, feeds);
  for (const [name, data] of expected) expectClose(name, results.get(name)!, data);
  expect(leaked).toBe(0);
});
