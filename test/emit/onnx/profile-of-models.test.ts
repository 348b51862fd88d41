// slow: builds every micro model twice

import { expect, test } from 'vitest';
import { constant, variables } from '../../../compiler/dims/dim.ts';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { bindDims } from '../../../compiler/graphs/bind.ts';
import { indexInputs } from '../../../compiler/graphs/index-check.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { staticShape } from '../../../compiler/ir/shapes.ts';
import { elementCount, tensor } from '../../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../../compiler/ir/types.ts';
import { runPipeline } from '../../../compiler/passes/pipeline.ts';
import { compileTraining } from '../../../compiler/training/compile-training.ts';
import { diskHost } from '../../../runtime/files/source-host.ts';
import { halfSettings } from '../../../runtime/ort/session.ts';
import { weightsAsInputs } from '../../../runtime/training/onnx-inference.ts';
import { weightsOf } from '../../../runtime/weights/graph-weights.ts';
import { initialWeights } from '../../../runtime/weights/initialise.ts';
import { microModels } from '../../micro-models.ts';
import { expectClose } from './closeness.ts';
import { openOnnx, runOnnx } from './session.ts';

/** The graph for two images of the size of the model's recipe. */
function graphOf(file: string, model: string): Graph {
  const { training } = compileTraining(diskHost(), file, { model, dims: new Map(), overrides: [] });
  const { inference } = training!;
  const open = inference.inputs.flatMap(({ value }) => value.type.shape.flatMap((dim) => [...variables(dim)]));
  return bindDims(inference, new Map(open.map((name) => [name, constant(2)])));
}

/** Pictures between -1 and 1, the first words of the vocabulary, and a text that is shorter than the other. */
function feedsOf(graph: Graph): Map<string, TensorData> {
  return new Map(
    graph.inputs.map(({ name, value: { type } }) => {
      const shape = staticShape(type);
      const last = shape.at(-1)!;
      const at = (i: number) => (type.dtype === 'i64' ? 1 + (i % 7) : Number(i < last || i % last < last - 2));
      const float = type.dtype === 'f32';
      const numbers = Array.from({ length: elementCount(shape) }, (_, i) => (float ? Math.fround(Math.sin(i)) : at(i)));
      return [name, tensor(type.dtype, shape, numbers)];
    }),
  );
}

test.each(microModels)('%s for CUDA computes the same as in portable form', async (model, file) => {
  const graph = graphOf(file, model);
  const feeds = feedsOf(graph);
  const drawn = initialWeights(weightsOf(graph), 0);
  const form = (of: Graph, profile: 'portable' | 'cuda') =>
    emitOnnx(of, { producerVersion: 'test', profile, hostChecks: indexInputs(of) });
  const optimised = runPipeline(graph);
  const wanted = await runOnnx(form(optimised, 'portable'), feeds, drawn);
  const cuda = form(optimised, 'cuda');
  for (const [name, value] of await runOnnx(cuda, feeds, drawn)) expectClose(name, value, wanted.get(name)!, 1e-4);

  // As training evaluates it: weights are inputs, so nothing that is made of them is known before a run.
  const { graph: open, weights } = weightsAsInputs(graph);
  const given = new Map(feeds);
  for (const { path, name, shape } of weights) {
    given.set(name, tensor('f32', shape, Array.from((await drawn.read(path)) as Float32Array)));
  }
  const evaluated = await runOnnx(form(runPipeline(open), 'cuda'), given);
  for (const [name, value] of evaluated) expectClose(name, value, wanted.get(name)!, 1e-4);
});

/** The largest difference of two results. */
function difference(a: ReadonlyMap<string, TensorData>, b: ReadonlyMap<string, TensorData>): number {
  let largest = 0;
  for (const [name, { data }] of a)
    for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(data[i]! - b.get(name)!.data[i]!));
  return largest;
}

test.each(microModels)(
  '%s in half precision is as close to float32 for CUDA as in portable form',
  async (model, file) => {
    const graph = graphOf(file, model);
    const feeds = feedsOf(graph);
    const drawn = initialWeights(weightsOf(graph), 0);
    const run = async (dtype: 'f32' | 'f16', profile: 'portable' | 'cuda') => {
      const form = emitOnnx(runPipeline(graph, { dtype }), {
        producerVersion: 'test',
        profile,
        hostChecks: indexInputs(graph),
      });
      const opened = await openOnnx(form, drawn, {
        logSeverityLevel: 3,
        ...(dtype === 'f16' && { extra: halfSettings }),
      });
      const results = await opened.run(feeds);
      await opened.release();
      return results;
    };
    const wanted = await run('f32', 'portable');
    const largest = Math.max(...[...wanted.values()].flatMap(({ data }) => [...data].map(Math.abs)));
    const portable = difference(await run('f16', 'portable'), wanted);
    const cuda = difference(await run('f16', 'cuda'), wanted);
    expect(cuda).toBeLessThan(2 * portable + 2 ** -10 * largest);
  },
);
