import { expect, test } from 'vitest';
import { constant, variables } from '../../compiler/dims/dim.ts';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { Target } from '../../compiler/emit/onnx/profile.ts';
import { bindDims } from '../../compiler/graphs/bind.ts';
import { indexInputs } from '../../compiler/graphs/index-check.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { staticShape } from '../../compiler/ir/shapes.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { compileTraining } from '../../compiler/training/compile-training.ts';
import { differentiate } from '../../compiler/training/differentiated.ts';
import { trainingStep } from '../../compiler/training/step.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { microModels } from '../micro-models.ts';
import { placedOnCuda } from './placed.ts';

const elsewhereIn = placedOnCuda();

/** The graph for one image: with open dims, nodes that compute shapes run on the CPU. */
function forOneImage(graph: Graph): Graph {
  const open = graph.inputs.flatMap(({ value }) => value.type.shape.flatMap((dim) => [...variables(dim)]));
  return bindDims(graph, new Map(open.map((name) => [name, constant(1)])));
}

/** Operators that do not run on CUDA, of a graph whose weights are all zero. */
async function elsewhere(graph: Graph, profile: Target = 'portable'): Promise<readonly string[]> {
  const sizes = new Map<string, number>();
  for (const node of graph.nodes)
    if (node.op === 'weight')
      sizes.set(
        node.attributes.path,
        staticShape(node.outputs[0].type).reduce((product, size) => product * size, 1),
      );
  const emitted = emitOnnx(graph, { producerVersion: 'test', profile, hostChecks: indexInputs(graph) });
  return elsewhereIn(emitted, (path) => new Float32Array(sizes.get(path)!), true);
}

test.each(microModels)('every operator of %s and of its training step runs on CUDA', async (model, file) => {
  const { training } = compileTraining(diskHost(), file, { model, dims: new Map(), overrides: [] });
  const step = trainingStep(differentiate(training!), { packed: true });
  for (const graph of [forOneImage(training!.inference), step.graph])
    expect(await elsewhere(graph), graph.name).toEqual([]);
});

test.each(microModels)(
  'every operator of %s as it is written for CUDA runs there, in each precision',
  async (model, file) => {
    const { training } = compileTraining(diskHost(), file, { model, dims: new Map(), overrides: [] });
    const graph = forOneImage(training!.inference);
    for (const dtype of ['f32', 'f16', 'bf16'] as const)
      expect(await elsewhere(runPipeline(graph, { dtype }), 'cuda'), dtype).toEqual([]);
  },
);
