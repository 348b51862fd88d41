import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { Profile } from '../../compiler/emit/onnx/profile.ts';
import { withUnknownShapes } from '../../compiler/emit/onnx/unknown-shapes.ts';
import { indexInputs } from '../../compiler/graphs/index-check.ts';
import type { StepGraph } from '../../compiler/training/step-graph.ts';
import { packageVersion } from '../files/package-root.ts';
import { encodeOnnx } from '../onnx/onnx-file.ts';
import { serialScatter } from '../ort/serial-scatter.ts';
import type { Device } from '../ort/session.ts';

export interface StepModelOptions {
  /** The largest number of elements that onnxruntime scatters on one thread. */
  readonly serial: number;
  readonly profile: Profile;
}

/** Returns a step graph as an ONNX model for onnxruntime. */
export function stepModel(
  { graph, state, packs }: StepGraph,
  { serial, profile }: StepModelOptions,
): Promise<Uint8Array> {
  const hostChecks = indexInputs(graph);
  const options = { producerVersion: packageVersion(), profile, serialScatter: serial, hostChecks };
  const model = emitOnnx(graph, options);
  const held = new Set([...state, ...packs].map(({ name }) => name));
  const fed = model.graph.inputs.map(({ name }) => name).filter((name) => !held.has(name));
  return encodeOnnx(withUnknownShapes(model, new Set(fed)), noWeights);
}

const noWeights = {
  read(path: string): never {
    throw new Error(`bug in crobc: the weight ${path} is in a step graph, which takes all state as inputs`);
  },
};

/** How step graphs are emitted for a device. */
export async function stepForm(device: Device, threads: number | undefined): Promise<StepModelOptions> {
  return {
    serial: device === 'cpu' ? await serialScatter(threads) : 0,
    profile: device === 'cuda' ? 'cuda-step' : 'cpu-step',
  };
}
