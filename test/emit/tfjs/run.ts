import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emitTfjs } from '../../../compiler/emit/tfjs/emit.ts';
import { generateTfjs } from '../../../compiler/emit/tfjs/generate.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { tensor } from '../../../compiler/ir/tensor-data.ts';
import { portDType, type TensorData } from '../../../compiler/ir/types.ts';
import type { HostTensor } from '../../../runtime/ort/session.ts';
import { loadTfjs } from '../../../runtime/tfjs/load.ts';
import {
  importProgram,
  type State,
  type Tensor,
  type TensorFlow,
  type TfjsModule,
} from '../../../runtime/tfjs/program.ts';
import { toTfjs } from '../../../runtime/tfjs/tensors.ts';

/** The best back end there is, or TensorFlow.js's own in JavaScript. */
export type Backend = 'best' | 'cpu';

export interface TfjsRun {
  readonly results: Map<string, TensorData>;
  /** Tensors and buffers that are there afterwards and were not before. */
  readonly leaked: number;
}

/** Runs a graph through its generated program; results by output name. */
export async function runTfjs(
  graph: Graph,
  feeds: ReadonlyMap<string, TensorData>,
  weights: ReadonlyMap<string, Float32Array> = new Map(),
): Promise<TfjsRun> {
  const { best } = await runTfjsOn(['best'], graph, feeds, weights);
  return best!;
}

/** The same program on several back ends. */
export async function runTfjsOn(
  backends: readonly Backend[],
  graph: Graph,
  feeds: ReadonlyMap<string, TensorData>,
  weights: ReadonlyMap<string, Float32Array> = new Map(),
): Promise<Partial<Record<Backend, TfjsRun>>> {
  const program = emitTfjs(graph.name, '', 'sha256:0', [{ name: 'run', docs: '', graph, state: new Map() }]);
  const shapes = new Map(program.functions[0]!.state.map(({ temp }) => [temp.hint, temp.shape]));
  const folder = await mkdtemp(join(tmpdir(), 'crobc-tfjs-'));
  const runs: Partial<Record<Backend, TfjsRun>> = {};
  try {
    const module = await importProgram(await generateTfjs(program), folder, graph.name);
    const run = (tf: TensorFlow) => {
      const state = new Map([...weights].map(([path, data]) => [path, tf.tensor(data, [...shapes.get(path)!])]));
      return runOn(tf, module, graph, feeds, state);
    };
    for (const backend of backends)
      runs[backend] = backend === 'cpu' ? await onCpu(run) : await run(watched((await loadTfjs()).tf));
    return runs;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function onCpu(run: (tf: TensorFlow) => Promise<TfjsRun>): Promise<TfjsRun> {
  const require = createRequire(import.meta.url);
  const tf = require('@tensorflow/tfjs-core') as TensorFlow;
  require('@tensorflow/tfjs-backend-cpu');
  const before = tf.getBackend();
  await tf.setBackend('cpu');
  try {
    return await run(tf);
  } finally {
    if (before !== '') await tf.setBackend(before);
  }
}

const packed = new WeakMap<object, string>();

/**
 * wasm packs the second of two matrices and finds it again by its data, whatever its shape then (4.22.0). Numbers can be right
 * by chance where that went wrong, so every product is looked at.
 */
export function watched(tf: TensorFlow): TensorFlow {
  const matMul: TensorFlow['matMul'] = (a, b, ...turned) => {
    const { dataId, shape } = b as Tensor;
    const before = packed.get(dataId) ?? shape.join();
    if (shape.length === 2 && before !== shape.join()) throw new Error(`packed as [${before}], used as [${shape}]`);
    if (shape.length === 2) packed.set(dataId, before);
    return tf.matMul(a, b, ...turned);
  };
  return Object.create(tf, { matMul: { value: matMul } }) as TensorFlow;
}

async function runOn(
  tf: TensorFlow,
  module: TfjsModule,
  graph: Graph,
  feeds: ReadonlyMap<string, TensorData>,
  state: State,
): Promise<TfjsRun> {
  const constants = module.makeConstants(tf);
  const given = Object.fromEntries([...feeds].map(([name, data]) => [name, toTfjs(tf, name, toHost(data))]));
  const before = held(tf);
  try {
    const outputs = module.call('run')(tf, state, constants, given);
    const results = new Map<string, TensorData>();
    for (const { name, value } of graph.outputs) {
      const output = outputs[name]!;
      results.set(name, await fromTfjs(output, value.type.dtype));
      output.dispose();
    }
    return { results, leaked: held(tf) - before };
  } finally {
    tf.dispose(constants as Record<string, Tensor>);
    tf.dispose([...state.values()]);
    tf.dispose(given);
  }
}

/** Tensors, and the data buffers that a back end keeps: kernels can leak those without any tensor. */
export function held(tf: TensorFlow): number {
  const { numDataIds } = tf.backend() as unknown as { numDataIds(): number };
  return tf.memory().numTensors + numDataIds.call(tf.backend());
}

export function toHost({ dtype, shape, data }: TensorData): HostTensor {
  switch (dtype) {
    case 'f32':
      return { dtype, shape, data: Float32Array.from(data) };
    case 'i64':
      return { dtype, shape, data: BigInt64Array.from([...data], BigInt) };
    case 'i32':
      return { dtype, shape, data: Int32Array.from(data) };
    default:
      return { dtype: portDType(dtype), shape, data: Uint8Array.from(data) };
  }
}

async function fromTfjs(result: Tensor, dtype: TensorData['dtype']): Promise<TensorData> {
  const wanted = dtype === 'f32' ? 'float32' : dtype === 'bool' ? 'bool' : 'int32';
  if (result.dtype !== wanted) throw new Error(`${result.dtype} in the place of ${wanted}`);
  return tensor(dtype, result.shape, Array.from(await result.data()));
}
