import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emitTfjs } from '../../../compiler/emit/tfjs/emit.ts';
import { generateTfjs } from '../../../compiler/emit/tfjs/generate.ts';
import type { Graph, TensorData } from '../../../compiler/ir/graph.ts';
import { tensor } from '../../../compiler/ir/tensor-data.ts';
import type { HostTensor } from '../../../runtime/session.ts';
import { loadTfjs } from '../../../runtime/tfjs/load.ts';
import { importProgram, type Tensor } from '../../../runtime/tfjs/program.ts';
import { toTfjs } from '../../../runtime/tfjs/tensors.ts';

/** Runs a graph through its generated program on the best back end there is; results by output name. */
export async function runTfjs(
  graph: Graph,
  feeds: ReadonlyMap<string, TensorData>,
  weights: ReadonlyMap<string, Float32Array> = new Map(),
): Promise<{ results: Map<string, TensorData>; leaked: number }> {
  const { tf } = await loadTfjs();
  const program = emitTfjs(graph.name, '', 'sha256:0', [{ name: 'run', docs: '', graph, state: new Map() }]);
  const text = await generateTfjs(program);
  const folder = await mkdtemp(join(tmpdir(), 'crobc-tfjs-'));
  try {
    const module = await importProgram(text, folder, graph.name);
    const constants = module.makeConstants(tf);
    const given = Object.fromEntries([...feeds].map(([name, data]) => [name, toTfjs(tf, name, toHost(data))]));
    const shapes = new Map(program.functions[0]!.state.map(({ temp }) => [temp.hint, temp.shape]));
    const state = new Map([...weights].map(([path, data]) => [path, tf.tensor(data, [...shapes.get(path)!])]));
    const before = held(tf);
    const outputs = module.call('run')(tf, state, constants, given);
    const results = new Map<string, TensorData>();
    for (const { name, value } of graph.outputs) {
      const output = outputs[name]!;
      results.set(name, await fromTfjs(output, value.type.dtype));
      output.dispose();
    }
    const leaked = held(tf) - before;
    tf.dispose(constants as Record<string, Tensor>);
    tf.dispose([...state.values()]);
    tf.dispose(given);
    return { results, leaked };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Tensors, and the data buffers that a back end keeps: kernels can leak those without any tensor. */
export function held(tf: Awaited<ReturnType<typeof loadTfjs>>['tf']): number {
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
      return { dtype, shape, data: Uint8Array.from(data) };
  }
}

async function fromTfjs(result: Tensor, dtype: TensorData['dtype']): Promise<TensorData> {
  const wanted = dtype === 'f32' ? 'float32' : dtype === 'bool' ? 'bool' : 'int32';
  if (result.dtype !== wanted) throw new Error(`${result.dtype} in the place of ${wanted}`);
  return tensor(dtype, result.shape, Array.from(await result.data()));
}
