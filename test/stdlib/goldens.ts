import { asConstant } from '../../compiler/dims/dim.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { SafetensorsFile } from '../../runtime/weights/safetensors.ts';

/** A case of test/goldens: what make-goldens.py wrote for one model of cases.crob, or another script for one of readings.crob or rivals.crob. */
export interface Golden {
  readonly weights: ReadonlyMap<string, TensorData>;
  /** Inputs and outputs by name. */
  readonly values: ReadonlyMap<string, TensorData>;
}

export const goldenSource = 'test/goldens/cases.crob';
export const readingsSource = 'test/goldens/readings.crob';
export const rivalsSource = 'test/goldens/rivals.crob';

export async function readGolden(name: string): Promise<Golden> {
  return {
    weights: await tensors(`test/goldens/${name}.weights.safetensors`),
    values: await tensors(`test/goldens/${name}.io.safetensors`),
  };
}

async function tensors(path: string): Promise<Map<string, TensorData>> {
  const file = await SafetensorsFile.open(path);
  const found = new Map<string, TensorData>();
  for (const [name, { dtype, shape }] of file.tensors) {
    const data = dtype === 'F32' ? await file.float32(name) : await file.int32(name);
    if (data instanceof Float32Array) found.set(name, { dtype: 'f32', shape, data });
    else if (dtype === 'BOOL') found.set(name, { dtype: 'bool', shape, data: Uint8Array.from(data) });
    else found.set(name, { dtype: 'i64', shape, data });
  }
  await file.close();
  return found;
}

/** Largest difference as a fraction of the largest wanted value; infinite when the shapes differ. */
export function relativeError(given: TensorData, wanted: TensorData): number {
  if (given.shape.join() !== wanted.shape.join()) return Number.POSITIVE_INFINITY;
  let error = 0;
  let largest = 0;
  for (const [i, x] of wanted.data.entries()) {
    error = Math.max(error, Math.abs(x - given.data[i]!));
    largest = Math.max(largest, Math.abs(x));
  }
  return error / largest;
}

/** Trained numbers of a graph, by the first part of their path. */
export function countParameters(graph: Graph): { readonly total: number; readonly parts: ReadonlyMap<string, number> } {
  const parts = new Map<string, number>();
  let total = 0;
  for (const node of graph.nodes) {
    if (node.op !== 'weight' || node.attributes.role !== 'param') continue;
    const count = node.outputs[0].type.shape.reduce((product, d) => product * asConstant(d)!, 1);
    const part = node.attributes.path.split('.')[0]!;
    total += count;
    parts.set(part, (parts.get(part) ?? 0) + count);
  }
  return { total, parts };
}
