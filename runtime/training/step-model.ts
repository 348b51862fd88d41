import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { withUnknownShapes } from '../../compiler/emit/onnx/unknown-shapes.ts';
import { indexInputs } from '../../compiler/graphs/index-check.ts';
import type { StepGraph } from '../../compiler/training/step-graph.ts';
import { packageVersion } from '../files/package-root.ts';
import { encodeOnnx } from '../onnx/onnx-file.ts';

/**
 * Returns a step graph as an ONNX model for onnxruntime. `serial` is the largest number of elements that onnxruntime
 * scatters on one thread.
 */
export function stepModel({ graph, state, packs }: StepGraph, serial: number): Promise<Uint8Array> {
  const options = { producerVersion: packageVersion(), serialScatter: serial, hostChecks: indexInputs(graph) };
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
