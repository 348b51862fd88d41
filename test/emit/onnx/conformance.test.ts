import { test } from 'vitest';
import { asConstant, type Dim, variable } from '../../../compiler/dims/dim.ts';
import { Facts } from '../../../compiler/dims/facts.ts';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { Builder } from '../../../compiler/graphs/builder.ts';
import { mapDims } from '../../../compiler/ir/attributes.ts';
import type { Graph, GraphInput, GraphOutput, Value } from '../../../compiler/ir/graph.ts';
import type { OpAttributes, OpName } from '../../../compiler/ir/names.ts';
import type { TensorData } from '../../../compiler/ir/types.ts';
import { seededRandom } from '../../../compiler/ops/random.ts';
import type { OpRow, Random, Sample } from '../../../compiler/ops/row.ts';
import { dims } from '../../../compiler/ops/sampling.ts';
import { opNames, ops } from '../../../compiler/ops/table.ts';
import { drawnSeed } from '../../seed.ts';
import { expectClose } from './closeness.ts';
import { runOnnx } from './session.ts';
import { expectValueTypes } from './value-types.ts';

const samples = 24;

/** Each operator over sampled arguments: its kernel against what onnxruntime makes of its lowering. */
test.each(opNames.map((op, i) => [op, i] as const))('%s', async (op, seed) => {
  await conform(op, seededRandom(drawnSeed(seed + 1)), () => false);
});

/** The same, the sizes that a coin picks being dims of the inputs wherever the shape rule can still prove what it must. */
test.each(opNames.map((op, i) => [op, i] as const))('%s, sizes symbolic', async (op, seed) => {
  const random = seededRandom(drawnSeed(seed + 1001));
  await conform(op, random, (size) => size > 1 && random.int(0, 3) > 0);
});

async function conform(op: OpName, random: Random, symbolic: (size: number) => boolean): Promise<void> {
  const build = new Builder(Facts.none);
  const inputs: GraphInput[] = [];
  const outputs: GraphOutput[] = [];
  const feeds = new Map<string, TensorData>();
  const expected = new Map<string, TensorData>();
  const row = ops[op] as OpRow<OpName>;
  for (let i = 0; i < samples; i++) {
    const sample = row.sample(random);
    const { values, given } = apply(build, op, sample, symbolic, `s${i}`);
    for (const [j, value] of given.entries()) {
      const name = `s${i}.in${j}`;
      inputs.push({ name, value, docs: '' });
      feeds.set(name, sample.inputs[j]!);
    }
    for (const [j, data] of row.reference(sample.inputs, sample.attributes).entries()) {
      const name = `s${i}.out${j}`;
      outputs.push({ name, value: values[j]!, docs: '' });
      expected.set(name, data);
    }
  }
  const graph: Graph = { name: op, docs: '', inputs, outputs, nodes: build.nodes, facts: Facts.none, guards: [] };
  const model = emitOnnx(graph, { producerVersion: 'test' });
  for (const { name, key } of model.graph.draws) feeds.set(name, drawn(graph, key, expected));
  const results = await runOnnx(model, feeds);
  for (const [name, data] of expected) expectClose(name, results.get(name)!, data);
  if (model.graph.values.length > 0) await expectValueTypes(model, feeds);
}

/** Every size of the sample that is to be symbolic becomes one dim, `D3` for 3; none of them when that cannot be proved. */
function apply(build: Builder, op: OpName, sample: Sample<OpName>, symbolic: (size: number) => boolean, key: string) {
  const picked = new Map<number, Dim>();
  for (const size of new Set(sample.inputs.flatMap((input) => input.shape)))
    if (symbolic(size)) picked.set(size, variable(`D${size}`));
  const attempt = (dimOf: (dim: Dim) => Dim) => {
    const before = build.nodes.length;
    const given = sample.inputs.map(({ dtype, shape }, i) =>
      build.input(`${key}.in${i}`, { dtype, shape: dims(shape).map(dimOf) }),
    );
    const attributes = mapDims(op, sample.attributes as OpAttributes[OpName], dimOf) as OpAttributes[OpName];
    const unique = op === 'uniform' ? { ...attributes, key } : attributes;
    const emitted = build.tryEmit(op, given, unique as OpAttributes[OpName]);
    if ('values' in emitted) return { values: emitted.values as readonly Value[], given };
    build.nodes.length = before;
    return undefined;
  };
  const chosen = attempt((dim) => picked.get(asConstant(dim)!) ?? dim);
  const applied = chosen ?? attempt((dim) => dim);
  if (applied === undefined) throw new Error(`${op}: the sampler's arguments are refused`);
  return applied;
}

function drawn(graph: Graph, key: string, expected: ReadonlyMap<string, TensorData>): TensorData {
  const output = graph.outputs.find(({ value }) => value.node.op === 'uniform' && value.node.attributes.key === key);
  return expected.get(output!.name)!;
}
