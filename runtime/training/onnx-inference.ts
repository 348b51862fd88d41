import { asConstant } from '../../compiler/dims/dim.ts';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { indexInputs } from '../../compiler/graphs/index-check.ts';
import { rewrite } from '../../compiler/graphs/rebuild.ts';
import type { Graph, Value } from '../../compiler/ir/graph.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { packageVersion } from '../files/package-root.ts';
import { encodeOnnx } from '../onnx/onnx-file.ts';
import { rowNumberCheck } from '../ort/row-numbers.ts';
import { type Device, type Feeds, type HostTensor, openSession, type Session } from '../ort/session.ts';
import { averageState, weightState } from './state.ts';

/** The inference form of a model that is being trained. */
export interface Inference {
  readonly session: Session;
  readonly bound: Feeds;
  readonly output: string;
  /** Throws a UserError if row numbers in the feeds are out of range. */
  readonly checkRowNumbers: (feeds: Feeds) => void;
}

/** Opens the inference form with weights as inputs, bound to the buffers that training updates. */
export async function openInference(
  graph: Graph,
  state: ReadonlyMap<string, Float32Array>,
  device: Device,
  threads: number | undefined,
): Promise<Inference> {
  const { graph: open, bound } = withOpenWeights(graph, state);
  const emitted = emitOnnx(open, { producerVersion: packageVersion(), hostChecks: indexInputs(open) });
  const session = await openSession(await encodeOnnx(emitted, { read: stray }), {
    device,
    ...(threads === undefined ? {} : { threads }),
  });
  return { session, bound, output: graph.outputs[0]!.name, checkRowNumbers: rowNumberCheck(open) };
}

/** Returns the optimised inference form with its weights as inputs, and the feeds for them. */
export function withOpenWeights(
  graph: Graph,
  state: ReadonlyMap<string, Float32Array>,
): { readonly graph: Graph; readonly bound: Feeds } {
  const { graph: open, weights } = weightsAsInputs(graph);
  const bound: Record<string, HostTensor> = {};
  for (const { path, name, shape } of weights) {
    const data = state.get(averageState(path)) ?? state.get(name);
    if (!data) throw new Error(`bug in crobc: no state holds the weight ${path}`);
    bound[name] = { dtype: 'f32', shape, data };
  }
  return { graph: runPipeline(open), bound };
}

function stray(path: string): never {
  throw new Error(`bug in crobc: the weight ${path} is in a graph whose weights are inputs`);
}

interface OpenWeight {
  readonly path: string;
  readonly name: string;
  readonly shape: readonly number[];
}

/** Replaces every weight of a graph by an input with the name of its state. */
export function weightsAsInputs(graph: Graph): { readonly graph: Graph; readonly weights: readonly OpenWeight[] } {
  const weights: OpenWeight[] = [];
  const added: { name: string; value: Value; docs: string }[] = [];
  const opened = rewrite(graph, (node, _inputs, build) => {
    if (node.op !== 'weight') return undefined;
    const { path } = node.attributes;
    const { type } = node.outputs[0];
    const name = weightState(node.attributes);
    const value = build.input(name, type);
    added.push({ name, value, docs: '' });
    weights.push({ path, name, shape: type.shape.map((d) => asConstant(d)!) });
    return [value];
  });
  return { graph: { ...opened, inputs: [...opened.inputs, ...added] }, weights };
}
