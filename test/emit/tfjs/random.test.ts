// slow: random graphs in TensorFlow.js

import { expect, test } from 'vitest';
import { constant, evaluate } from '../../../compiler/dims/dim.ts';
import { bindDims } from '../../../compiler/graphs/bind.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import { print } from '../../../compiler/ir/print.ts';
import { seededRandom, seedOf } from '../../../compiler/ops/random.ts';
import { floats } from '../../../compiler/ops/sampling.ts';
import { runPipeline } from '../../../compiler/passes/pipeline.ts';
import { randomGraph } from '../../passes/random-graph.ts';
import { drawnSeed } from '../../seed.ts';
import { runTfjs } from './run.ts';

const graphs = Number(process.env.CROBC_FUZZ_TFJS ?? 25);

/** Whole graphs, as they are and after the passes: what folds of neighbouring operators make of each other. */
test.each(['views', 'everything'] as const)('random graphs with %s', async (kind) => {
  const sizes = new Map([
    ['B', constant(2)],
    ['H', constant(2)],
  ]);
  for (let i = 1; i <= graphs; i++) {
    const seed = drawnSeed(i);
    const graph = bindDims(randomGraph(seededRandom(seed + 900), 14, kind), sizes);
    const feeds = new Map(
      graph.inputs.map(({ name, value }) => [
        name,
        floats(
          seededRandom(seed),
          value.type.shape.map((dim) => evaluate(dim, () => 2)),
          -1,
          1,
        ),
      ]),
    );
    const weightOf = (path: string, shape: readonly number[]) => floats(seededRandom(seedOf(path)), shape, -1, 1);
    const expected = interpret(graph, feeds, weightOf);
    for (const one of [graph, runPipeline(graph, { verify: true })]) {
      const weights = new Map<string, Float32Array>();
      for (const { op, attributes, outputs } of one.nodes)
        if (op === 'weight') {
          const shape = outputs[0].type.shape.map((dim) => evaluate(dim, () => 2));
          weights.set(attributes.path, Float32Array.from(weightOf(attributes.path, shape).data));
        }
      try {
        const { results, leaked } = await runTfjs(one, feeds, weights);
        expect(leaked).toBe(0);
        for (const [name, { data, shape }] of expected) {
          const found = results.get(name)!;
          expect(found.shape).toEqual(shape);
          const scale = Math.max(1, ...Array.from(data, Math.abs));
          for (const [i, x] of data.entries()) expect(Math.abs(found.data[i]! - x)).toBeLessThan(1e-4 * scale);
        }
      } catch (error) {
        throw new Error(`seed ${seed}:\n${print(one)}`, { cause: error });
      }
    }
  }
});
