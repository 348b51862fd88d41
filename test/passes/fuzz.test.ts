import { describe, expect, it } from 'vitest';
import { read } from '../../compiler/graphs/read.ts';
import { verify } from '../../compiler/graphs/verify.ts';
import { print } from '../../compiler/ir/print.ts';
import { seededRandom } from '../../compiler/ops/random.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { drawnSeed } from '../seed.ts';
import { expectSameResults } from './equivalence.ts';
import { randomGraph } from './random-graph.ts';

const graphs = Number(process.env.CROBC_FUZZ_GRAPHS ?? 150);

describe('the pipeline, on random graphs', () => {
  it.each(['views', 'everything'] as const)(
    'with %s: leaves results, types and invariants as they are, and has nothing to do the second time',
    (kind) => {
      for (let i = 1; i <= graphs; i++) {
        const seed = drawnSeed(i);
        const graph = randomGraph(seededRandom(seed), 20, kind);
        const text = print(graph);
        try {
          expect(verify(graph)).toEqual([]);
          expect(print(read(text))).toBe(text);
          const steps: string[] = [];
          const optimised = runPipeline(graph, {
            verify: true,
            after: (pass, after) => steps.push(pass + print(after)),
          });
          expectSameResults(
            graph,
            optimised,
            seed,
            new Map([
              ['B', 2],
              ['H', 6],
            ]),
          );
          expect(print(runPipeline(optimised))).toBe(print(optimised));
        } catch (error) {
          throw new Error(`seed ${seed}:\n${text}`, { cause: error });
        }
      }
    },
  );
});
