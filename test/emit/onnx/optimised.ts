import { readFileSync } from 'node:fs';
import onnxProto from 'onnx-proto';
import type { OnnxModel } from '../../../compiler/emit/onnx/model.ts';
import { openOnnx } from './session.ts';

type Node = NonNullable<onnxProto.onnx.IGraphProto['node']>[number];

/** The nodes after onnxruntime's optimisations, which it writes to `path`. */
export async function optimised(model: OnnxModel, path: string): Promise<readonly Node[]> {
  const options = { logSeverityLevel: 3, optimizedModelFilePath: path, graphOptimizationLevel: 'all' } as const;
  await (await openOnnx(model, undefined, options)).release();
  return onnxProto.onnx.ModelProto.decode(readFileSync(path)).graph!.node!;
}

/** A model of unknown shapes, of which onnxruntime knows all ranks. */
export function ranked({ graph, ...rest }: OnnxModel): OnnxModel {
  const dims = new Map(graph.initialisers.map((stored) => [stored.name, stored.dims]));
  const inputs = graph.inputs.map((input) => ({ ...input, shape: dims.get(input.name) ?? input.shape }));
  return { ...rest, graph: { ...graph, inputs, values: [] } };
}
