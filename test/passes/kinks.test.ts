// slow: gradients of hundreds of graphs

import { describe, expect, test } from 'vitest';
import { evaluate } from '../../compiler/dims/dim.ts';
import { Builder } from '../../compiler/graphs/builder.ts';
import { interpret } from '../../compiler/graphs/interpret.ts';
import { read } from '../../compiler/graphs/read.ts';
import { finish } from '../../compiler/graphs/rebuild.ts';
import type { Graph, Value } from '../../compiler/ir/graph.ts';
import { print } from '../../compiler/ir/print.ts';
import { elementCount, tensor } from '../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { seededRandom, seedOf } from '../../compiler/ops/random.ts';
import type { Random } from '../../compiler/ops/row.ts';
import { gradients } from '../../compiler/passes/differentiate.ts';
import { pipeline, runPipeline } from '../../compiler/passes/pipeline.ts';
import { applyRules, type Rule } from '../../compiler/passes/rule.ts';
import { drawnSeed } from '../seed.ts';
import { randomGraph } from './random-graph.ts';

const sizes = new Map([
  ['B', 2],
  ['H', 6],
]);

/** The gradients of a weighed sum of all results in every input and weight, by name. */
function differentiated(graph: Graph): Graph {
  const build = new Builder(graph.facts);
  build.nodes.push(...graph.nodes);
  const terms = graph.outputs.map(({ value }, i) => {
    const weighed = build.mul(value, build.full(1 + i / 4, 'f32', []));
    return value.type.shape.length === 0 ? weighed : build.sum(weighed, [...value.type.shape.keys()]);
  });
  const loss = terms.reduce((a, b) => build.add(a, b));
  const sources: readonly (readonly [string, Value])[] = [
    ...graph.inputs.map(({ name, value }) => [name, value] as const),
    ...graph.nodes.flatMap((node) => (node.op === 'weight' ? [[node.attributes.path, node.outputs[0]!] as const] : [])),
  ];
  const found = gradients(
    build,
    loss,
    sources.map(([, value]) => value),
  );
  const outputs = sources.map(([name, value]) => {
    const gradient = found.get(value) ?? build.full(0, 'f32', value.type.shape);
    return { name, value: gradient, docs: '' };
  });
  return finish({ ...graph, outputs }, build.nodes);
}

/** Few different numbers, all exact: zeros and ties everywhere. */
function tied(random: Random, shape: readonly number[]): TensorData {
  const elements = Array.from({ length: elementCount(shape) }, () => random.int(-2, 2) / 2);
  return tensor('f32', shape, elements);
}

function run(graph: Graph, seed: number): Map<string, TensorData> {
  const feeds = new Map(
    graph.inputs.map(({ name, value }) => {
      const shape = value.type.shape.map((dim) => evaluate(dim, (free) => sizes.get(free)!));
      return [name, tied(seededRandom(seedOf(name) + seed), shape)];
    }),
  );
  return interpret(graph, feeds, (path, shape) => tied(seededRandom(seedOf(path) + seed), shape), sizes);
}

/** How far the gradients of one graph are from the other's, relative to the largest. */
function apart(before: Graph, after: Graph, seed: number): number {
  const [wanted, found] = [run(differentiated(before), seed), run(differentiated(after), seed)];
  let most = 0;
  for (const [name, { data }] of wanted) {
    // A weight that is gone has no gradient.
    const other = found.get(name)?.data;
    const scale = Math.max(1, ...Array.from(data, Math.abs));
    for (const [i, x] of data.entries()) {
      const difference = Math.abs(x - (other?.[i] ?? 0)) / scale;
      most = Math.max(most, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
    }
  }
  return most;
}

const rules = [...new Set(pipeline.flatMap((pass) => ('rules' in pass ? pass.rules : [])))];

const input = `%0 = input name="x" : f32[2, 3]\n`;
const ends = `input "x" = %0 ""\noutput "y" = %9 ""\n`;

/** Graphs of which the gradient is another after the rule. */
const changed: Readonly<Record<string, string>> = {
  'relu-written-out': `${input}%1 = full value=0 dtype=f32 shape=[] : f32[]\n%9 = max %0, %1 : f32[2, 3]\n${ends}`,
  'reduce-max-once': `${input}%1 = reduce_max %0 axes=[1] keep=false : f32[2]\n%9 = reduce_max %1 axes=[0] keep=false : f32[]\n${ends}`,
};

describe('rules that change gradients at kinks and ties', () => {
  const found = rules.filter(({ keeps }) => keeps === 'values');

  test('are these', () => {
    expect(found.map(({ name }) => name).sort()).toEqual(Object.keys(changed).sort());
  });

  test.each(found)('$name does, and does not run where gradients are to be kept', (rule: Rule) => {
    const graph = read(changed[rule.name]!);
    const differences = (after: Graph) => Array.from({ length: 20 }, (_, seed) => apart(graph, after, seed));
    expect(Math.max(...differences(applyRules(graph, [rule])))).toBeGreaterThan(0.1);
    const fired = new Set<string>();
    const trace = (name: string, _node: unknown, missed: unknown) => missed === undefined && fired.add(name);
    const kept = runPipeline(graph, { keeping: 'gradients', verify: true, trace });
    expect([...fired]).not.toContain(rule.name);
    expect(Math.max(...differences(kept))).toBeLessThan(1e-9);
    runPipeline(graph, { trace });
    expect([...fired]).toContain(rule.name);
  });
});

test('the pipeline that keeps gradients keeps them at kinks and ties, in random graphs; every rule in it is among them', () => {
  const fired = new Set<string>();
  const missing = () => rules.flatMap(({ name, keeps }) => (keeps === 'gradients' && !fired.has(name) ? [name] : []));
  // A rule that runs seldom may need more graphs.
  for (let i = 1; i <= 400 || (i <= 4000 && missing().length > 0); i++) {
    const seed = drawnSeed(i);
    const graph = randomGraph(seededRandom(seed), 16, 'kinks');
    const trace = (name: string, _node: unknown, missed: unknown) => missed === undefined && fired.add(name);
    const kept = runPipeline(graph, { keeping: 'gradients', verify: true, trace });
    const difference = apart(graph, kept, seed);
    if (difference > 1e-6) throw new Error(`seed ${seed}: gradients differ by ${difference}:\n${print(graph)}`);
  }
  expect(missing()).toEqual([]);
});
