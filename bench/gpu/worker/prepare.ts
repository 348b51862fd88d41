import { join } from 'node:path';
import type { Feeds, HostTensor } from '../../../runtime/ort/session.ts';
import { weightsOf } from '../../../runtime/weights/graph-weights.ts';
import { type InitialisedWeight, initialWeights } from '../../../runtime/weights/initialise.ts';
import { type TensorToWrite, writeSafetensors } from '../../../runtime/weights/safetensors.ts';
import { inputsOf } from '../../inputs.mjs';
import { engineFor } from './engines.ts';
import type { Job, PrepareCase, PrepareTrainingCase } from './job.ts';
import { encoded, inferenceGraph, outputsOf, trainingOf } from './models.ts';

/** Of all weights that are drawn: both crobc and PyTorch read them from the same file. */
const seed = 1;

/**
 * Writes a model's weights, the inputs of the largest batch, and what onnxruntime computes on the CPU in f32 for the
 * first sample: `NAME.safetensors`, `NAME.inputs.safetensors` and `NAME.outputs.safetensors`.
 */
export async function prepare(one: PrepareCase, { folder, threads }: Job) {
  const { name, sizes, batches } = one;
  const graph = inferenceGraph(one, { ...sizes, B: 1 });
  const weights = join(folder, `${name}.safetensors`);
  const parameters = await writeWeights(weights, weightsOf(graph));
  const names = graph.inputs.map((input) => input.name);
  await writeFeeds(join(folder, `${name}.inputs.safetensors`), inputsOf(names, { ...sizes, B: Math.max(...batches) }));
  const { bytes, nodes } = await encoded(graph, 'f32', weights, 'cpu');
  const engine = await engineFor('cpu', { precision: 'f32', graph: false });
  const model = await engine.open(bytes, { threads, planMemory: false });
  const results: Record<string, HostTensor> = {};
  for (const { name: output, shape } of outputsOf(graph)) {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    results[output] = { dtype: 'f32', shape, data };
  }
  const run = model.bind({ inputs: {}, outputs: {}, reads: {}, writes: results });
  const start = performance.now();
  await run(inputsOf(names, { ...sizes, B: 1 }));
  const cpuSeconds = (performance.now() - start) / 1000;
  await model.release();
  await writeFeeds(join(folder, `${name}.outputs.safetensors`), results);
  return { parameters, nodes, cpuSeconds };
}

/** Writes a trained model's weights and a batch: `NAME.safetensors` and `NAME.batch.safetensors`. */
export async function prepareTraining(one: PrepareTrainingCase, { folder }: Job) {
  const { name, sizes } = one;
  const training = trainingOf(one);
  const parameters = await writeWeights(join(folder, `${name}.safetensors`), training.weights);
  const names = training.forward.inputs.map((input) => input.name);
  await writeFeeds(join(folder, `${name}.batch.safetensors`), inputsOf(names, sizes));
  return { parameters };
}

async function writeWeights(path: string, weights: readonly InitialisedWeight[]): Promise<number> {
  const source = initialWeights(weights, seed);
  await writeSafetensors(
    path,
    weights.map(({ path: name, shape }) => ({ name, dtype: 'F32', shape, data: () => source.read(name) })),
  );
  return weights.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}

const types = { f32: 'F32', i64: 'I64', bool: 'BOOL' } as const;

async function writeFeeds(path: string, feeds: Feeds): Promise<void> {
  const tensors = Object.entries(feeds).map(([name, { dtype, shape, data }]): TensorToWrite => {
    if (dtype !== 'f32' && dtype !== 'i64' && dtype !== 'bool') throw new Error(`no input of a model is ${dtype}`);
    return { name, dtype: types[dtype], shape, data: () => data };
  });
  await writeSafetensors(path, tensors);
}
