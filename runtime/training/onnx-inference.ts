import { asConstant } from '../../compiler/dims/dim.ts';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { indexInputs } from '../../compiler/graphs/index-check.ts';
import { rewrite } from '../../compiler/graphs/rebuild.ts';
import type { Graph, Value } from '../../compiler/ir/graph.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { profileOn } from '../build/own-profile.ts';
import { packageVersion } from '../files/package-root.ts';
import { encodeOnnx } from '../onnx/onnx-file.ts';
import type { Engine, Resident } from '../ort/engine.ts';
import { rowNumberCheck } from '../ort/row-numbers.ts';
import type { Feeds, HostTensor } from '../ort/session.ts';
import type { ResidentState } from './resident-state.ts';
import { averageState, weightState } from './state.ts';

/** The inference form of a model that is being trained. */
export interface Inference {
  /** Returns the model's output. Throws a UserError if row numbers in the feeds are out of range. */
  predict(feeds: Feeds): Promise<HostTensor>;
  release(): Promise<void>;
}

/** Opens the inference form with weights as inputs: the tensors that training updates. */
export async function openInference(
  graph: Graph,
  engine: Engine,
  state: ResidentState,
  threads: number | undefined,
): Promise<Inference> {
  const { graph: open, weights } = withOpenWeights(graph, state.arrays);
  const emitted = emitOnnx(open, {
    producerVersion: packageVersion(),
    hostChecks: indexInputs(open),
    profile: profileOn(engine.device),
  });
  const bytes = await encodeOnnx(emitted, { read: stray });
  const model = await engine.open(bytes, { planMemory: true, threads, captured: true });
  const read = new Set(model.inputs);
  const bound: Record<string, Resident> = {};
  for (const { input, state: name, shape } of weights)
    if (read.has(input)) bound[input] = await state.tensor(name, shape);
  const output = graph.outputs[0]!.name;
  const checkRowNumbers = rowNumberCheck(open);
  return {
    async predict(feeds) {
      checkRowNumbers(feeds);
      const needed = Object.fromEntries(Object.entries(feeds).filter(([name]) => read.has(name)));
      return model.run(bound, needed, output);
    },
    release: () => model.release(),
  };
}

/** A weight as an input of the inference form. */
export interface OpenWeight {
  readonly input: string;
  /** The state that holds it: the weight's average, if there is one. */
  readonly state: string;
  readonly shape: readonly number[];
}

/** Returns the optimised inference form with its weights as inputs. */
export function withOpenWeights(
  graph: Graph,
  state: ReadonlyMap<string, Float32Array>,
): { readonly graph: Graph; readonly weights: readonly OpenWeight[] } {
  const { graph: open, weights } = weightsAsInputs(graph);
  const held = weights.map(({ path, name, shape }): OpenWeight => {
    const average = averageState(path);
    return { input: name, state: state.has(average) ? average : name, shape };
  });
  return { graph: runPipeline(open), weights: held };
}

function stray(path: string): never {
  throw new Error(`bug in crobc: the weight ${path} is in a graph whose weights are inputs`);
}

interface NamedWeight {
  readonly path: string;
  readonly name: string;
  readonly shape: readonly number[];
}

/** Replaces every weight of a graph by an input with the name of its state. */
export function weightsAsInputs(graph: Graph): { readonly graph: Graph; readonly weights: readonly NamedWeight[] } {
  const weights: NamedWeight[] = [];
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
