import { compile } from '../../../compiler/compile.ts';
import { isError } from '../../../compiler/diagnostics/diagnostic.ts';
import { asConstant } from '../../../compiler/dims/dim.ts';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { indexInputs } from '../../../compiler/graphs/index-check.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { runPipeline } from '../../../compiler/passes/pipeline.ts';
import { compileTraining, type Training } from '../../../compiler/training/compile-training.ts';
import { packageVersion } from '../../../runtime/files/package-root.ts';
import { diskHost } from '../../../runtime/files/source-host.ts';
import { encodeOnnx } from '../../../runtime/onnx/onnx-file.ts';
import type { Device } from '../../../runtime/ort/session.ts';
import { weightsOf } from '../../../runtime/weights/graph-weights.ts';
import { openWeights } from '../../../runtime/weights/weights.ts';
import type { Precision, PrepareTrainingCase, TrainCase } from './job.ts';

interface Modelled {
  readonly file: string;
  readonly model: string;
}

/** The graph of a model in inference form. */
export function inferenceGraph({ file, model }: Modelled, sizes: Readonly<Record<string, number>>): Graph {
  const dims = new Map(Object.entries(sizes));
  const { graph, diagnostics } = compile(diskHost(), file, { model, dims, overrides: [] });
  if (graph && !diagnostics.some(isError)) return graph;
  throw new Error(diagnostics.map(({ message }) => message).join('; ') || `${file} has no model ${model}`);
}

export function trainingOf({
  file,
  model,
  recipe,
  sizes,
  overrides,
}: Pick<PrepareTrainingCase | TrainCase, 'file' | 'model' | 'recipe' | 'sizes' | 'overrides'>): Training {
  const dims = new Map(Object.entries(sizes));
  const { training, diagnostics } = compileTraining(diskHost(), file, { model, recipe, dims, overrides });
  if (training) return training;
  throw new Error(diagnostics.map(({ message }) => message).join('; ') || `${file} has no recipe ${recipe}`);
}

/** A model as onnxruntime gets it, with its weights inside. */
export interface Encoded {
  readonly bytes: Uint8Array;
  readonly nodes: number;
  readonly outputs: readonly Output[];
}

/** An output, f32. */
export interface Output {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The outputs of a graph whose dims are all bound. */
export function outputsOf({ outputs }: Graph): readonly Output[] {
  return outputs.map(({ name, value }) => ({ name, shape: value.type.shape.map((d) => asConstant(d)!) }));
}

/** Compiles to ONNX, as `crobc build --dtype --for` does, with the weights of a safetensors file. */
export async function encoded(
  graph: Graph,
  precision: Precision,
  weightsFile: string,
  device: Device,
): Promise<Encoded> {
  const optimised = runPipeline(graph, { dtype: dtypeOf(precision) });
  const emitted = emitOnnx(optimised, {
    producerVersion: packageVersion(),
    hostChecks: indexInputs(graph),
    profile: device === 'cuda' ? 'cuda' : 'portable',
  });
  const weights = await openWeights(weightsFile, weightsOf(optimised), { extra: 'allow' });
  try {
    return { bytes: await encodeOnnx(emitted, weights), nodes: emitted.graph.nodes.length, outputs: outputsOf(graph) };
  } finally {
    await weights.close();
  }
}

function dtypeOf(precision: Precision): 'f32' | 'bf16' | 'f16' {
  switch (precision) {
    case 'f32':
    case 'tf32':
      return 'f32';
    case 'bf16':
    case 'f16':
      return precision;
  }
}
