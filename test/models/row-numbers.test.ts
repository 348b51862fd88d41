// slow: large models

import { describe, expect, test } from 'vitest';
import { compile } from '../../compiler/compile.ts';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { OnnxNode } from '../../compiler/emit/onnx/model.ts';
import { type IndexCheck, indexChecks, indexInputs, indexUses } from '../../compiler/graphs/index-check.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { compileTraining } from '../../compiler/training/compile-training.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { stepParts } from '../../runtime/training/step-parts.ts';

const host = diskHost();
/** One with each backbone, and the whole one. */
const models = [
  ['models/crobim.crob', 'CroBIM'],
  ['models/crobim.crob', 'CroBIM_micro'],
  ['models/sizes.crob', 'CroBIM_micro_ConvNeXt'],
] as const;

/** How often each way is how an index is known to be in range; tokens alone are looked at by the host. */
function checksOf(graph: Graph): Partial<Record<IndexCheck['kind'], number>> {
  const check = indexChecks(graph.facts);
  const found: Partial<Record<IndexCheck['kind'], number>> = {};
  for (const use of indexUses(graph)) {
    const { kind } = check(use);
    found[kind] = (found[kind] ?? 0) + 1;
  }
  return found;
}

function count(nodes: readonly OnnxNode[], operator: string): number {
  return nodes.filter(({ op }) => op === operator).length;
}

describe('the graphs of shipped models have no operator that looks at an index', () => {
  test.each(models)('%s, %s', (file, model) => {
    const { graph } = compile(host, file, { model, dims: new Map(), overrides: [] });
    const optimised = runPipeline(graph!);
    const hostChecks = indexInputs(graph!);
    expect(hostChecks.map(({ name }) => name)).toEqual(['tokens']);
    const { proved: _, ...others } = checksOf(optimised);
    expect(others).toEqual({ input: 1 });
    const [left, whole] = [hostChecks, []].map((given) => {
      return emitOnnx(optimised, { producerVersion: 'test', hostChecks: given }).graph.nodes;
    });
    // Where the graph looks at tokens itself, that takes two more.
    expect(left!.length).toBe(whole!.length - 2);
    expect(count(left!, 'Where')).toBe(count(whole!, 'Where') - 1);
  });
});

test('nor have training steps', () => {
  const options = { model: 'CroBIM_micro', dims: new Map(), overrides: [] };
  const { training } = compileTraining(host, 'models/crobim.crob', options);
  const steps = stepParts(training!, { recompute: [], backend: 'onnx' });
  const { proved = 0, ...others } = checksOf('whole' in steps ? steps.whole.graph : steps.accumulate.graph);
  // The table, and its gradient.
  expect(others).toEqual({ input: 2 });
  expect(proved).toBeGreaterThan(3);
});
