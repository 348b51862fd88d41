import { asConstant } from '../../compiler/dims/dim.ts';
import { generateTfjs } from '../../compiler/emit/tfjs/generate.ts';
import { freeDims, inferenceProgram, type NamedSteps, trainingProgram } from '../../compiler/emit/tfjs/programs.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { type StepGraph, stepNames } from '../../compiler/training/step-graph.ts';
import { UserError } from '../files/user-error.ts';
import { type Feeds, type HostTensor, RunFailure } from '../ort/session.ts';
import { type LoadedTfjs, loadTfjs } from '../tfjs/load.ts';
import { type Constants, importProgram, type State, type Tensor, type TfjsCall } from '../tfjs/program.ts';
import { toTfjs } from '../tfjs/tensors.ts';
import type { StepParts, StepResult, StepScalars, TrainingBackend } from './backend.ts';
import { draw } from './draws.ts';
import { averageState, statesOf, weightState } from './state.ts';

export interface TfjsBackendOptions {
  readonly model: string;
  readonly steps: StepParts<StepGraph>;
  /** The model's inference form; weights are `weight` nodes. */
  readonly inference: Graph;
  /** All state tensors by name, including the weights of `inference`. */
  readonly state: ReadonlyMap<string, Float32Array>;
  readonly seed: number;
  /** The run's folder, in which generated programs are written. */
  readonly folder: string;
}

/** Names the functions of the generated program for the parts of a step. */
export function namedSteps(steps: StepParts<StepGraph>): NamedSteps {
  return 'whole' in steps ? { step: steps.whole } : { accumulate: steps.accumulate, update: steps.update };
}

/** A function of a loaded program, with its graph. */
interface Part {
  readonly graph: StepGraph;
  readonly call: TfjsCall;
}

/**
 * Trains in TensorFlow.js: writes the program of `crobc build --target tfjs` to the folder of the run and loads it.
 * State is stored as tensors of the TensorFlow.js back end. Throws a UserError if the folder is not writable, or if
 * memory is insufficient.
 */
export async function openTfjsBackend(options: TfjsBackendOptions): Promise<TrainingBackend> {
  const { model, steps, seed, folder, inference } = options;
  const loaded = await loadTfjs();
  const { tf, device, note } = loaded;
  const graphs = namedSteps(steps);
  const module = await importProgram(await generateTfjs(trainingProgram(model, graphs)), folder, `${model}.train.tfjs`);
  const constants = module.makeConstants(tf);
  const state: State = new Map();
  const shapes = shapesOf(steps, inference);
  for (const [name, data] of options.state) state.set(name, tf.tensor(data, [...(shapes.get(name) ?? [data.length])]));
  const partOf = (name: string): Part => ({ graph: graphs[name]!, call: module.call(name) });
  const [batch, update] = 'whole' in steps ? [partOf('step')] : [partOf('accumulate'), partOf('update')];
  const accumulators = statesOf(steps).filter(({ kind }) => kind === 'gradient');
  const cleared = new Set(accumulators.map(({ name }) => name));

  /** Runs a part of the step, reads its scalar results and disposes all temporary tensors. */
  const run = async (part: Part, feeds: Feeds, { learningRate, step }: StepScalars, micro: number) => {
    const given: Record<string, Tensor> = {};
    try {
      for (const { name, shape } of part.graph.draws)
        given[name] = tf.tensor(draw(name, shape, { seed, step, micro }), [...shape]);
      for (const { name } of part.graph.graph.inputs) {
        if (state.has(name)) continue;
        if (name === stepNames.learningRate) given[name] = tf.scalar(learningRate);
        else if (name === stepNames.number) given[name] = tf.scalar(step, 'int32');
        else given[name] = toTfjs(tf, name, fed(feeds, name));
      }
      const outputs = guarded(loaded, () => part.call(tf, state, constants, given));
      const read = await Promise.all(
        Object.entries(outputs).map(async ([name, tensor]) => [name, (await tensor.data())[0]!] as const),
      );
      tf.dispose(outputs as Record<string, Tensor>);
      return new Map(read);
    } finally {
      tf.dispose(given);
    }
  };

  const predictors = new Map<number, Promise<Predictor>>();
  return {
    name: 'tfjs',
    device,
    note,
    readsCopies: false,
    async step(batches, scalars) {
      const wanted = 'whole' in steps ? 1 : steps.times;
      if (batches.length !== wanted) throw new Error(`bug in crobc: ${batches.length} micro-batches of ${wanted}`);
      for (const { name, shape } of accumulators) {
        state.get(name)?.dispose();
        state.set(name, tf.zeros([...shape]));
      }
      const results: ReadonlyMap<string, number>[] = [];
      for (const [micro, feeds] of batches.entries()) results.push(await run(batch, feeds, scalars, micro));
      const last = update === undefined ? results.at(-1)! : await run(update, {}, scalars, 0);
      return averaged(results, last.get(stepNames.gradientNorm) ?? Number.NaN);
    },
    async read() {
      const values = new Map<string, Float32Array>();
      for (const [name, tensor] of state)
        if (!cleared.has(name)) values.set(name, (await tensor.data()) as Float32Array);
      return values;
    },
    async write(values) {
      for (const [name, data] of values) {
        const held = state.get(name);
        if (held?.size !== data.length) throw new Error(`bug in crobc: no state ${name} of ${data.length} elements`);
        const replacement = tf.tensor(data, held.shape);
        held.dispose();
        state.set(name, replacement);
      }
    },
    async predict(feeds) {
      const size = feeds[inference.inputs[0]!.name]?.shape[0] ?? 1;
      let predictor = predictors.get(size);
      if (predictor === undefined) {
        predictor = openPredictor(inference, size, loaded, folder);
        predictors.set(size, predictor);
      }
      return predict(await predictor, feeds, state, loaded);
    },
    look: undefined,
    async release() {
      for (const tensor of state.values()) tensor.dispose();
      state.clear();
      tf.dispose(constants as Record<string, Tensor>);
      for (const predictor of predictors.values()) tf.dispose((await predictor).constants as Record<string, Tensor>);
      predictors.clear();
    },
  };
}

function averaged(results: readonly ReadonlyMap<string, number>[], gradientNorm: number): StepResult {
  const mean = (name: string): number =>
    results.reduce((sum, result) => sum + (result.get(name) ?? Number.NaN), 0) / results.length;
  const terms = [...(results[0]?.keys() ?? [])].filter((name) => name.startsWith('term:'));
  return {
    loss: mean(stepNames.loss),
    terms: Object.fromEntries(terms.map((name) => [name.slice('term:'.length), mean(name)])),
    gradientNorm,
  };
}

interface Predictor {
  readonly graph: Graph;
  readonly call: TfjsCall;
  readonly constants: Constants;
}

/** Loads the inference form for one batch size, since shapes in generated programs are constants. */
async function openPredictor(graph: Graph, size: number, { tf }: LoadedTfjs, folder: string): Promise<Predictor> {
  const free = freeDims(graph);
  const program = inferenceProgram(graph, new Map(free.map((name) => [name, size])));
  const name = `${graph.name}${free.length === 0 ? '' : `.batch${size}`}.tfjs`;
  const module = await importProgram(await generateTfjs(program), folder, name);
  return { graph, call: module.call('run'), constants: module.makeConstants(tf) };
}

async function predict(
  { graph, call, constants }: Predictor,
  feeds: Feeds,
  state: State,
  loaded: LoadedTfjs,
): Promise<HostTensor> {
  const { tf } = loaded;
  const weights: State = new Map();
  for (const node of graph.nodes) {
    if (node.op !== 'weight') continue;
    const { path } = node.attributes;
    const tensor = state.get(averageState(path)) ?? state.get(weightState(node.attributes));
    if (tensor === undefined) throw new Error(`bug in crobc: no state holds the weight ${path}`);
    weights.set(path, tensor);
  }
  const given = Object.fromEntries(graph.inputs.map(({ name }) => [name, toTfjs(tf, name, fed(feeds, name))]));
  try {
    const outputs = guarded(loaded, () => call(tf, weights, constants, given));
    const logits = outputs[graph.outputs[0]!.name]!;
    const data = (await logits.data()) as Float32Array;
    const { shape } = logits;
    tf.dispose(outputs as Record<string, Tensor>);
    return { dtype: 'f32', shape, data };
  } finally {
    tf.dispose(given);
  }
}

/**
 * Improves error messages: WebAssembly's heap is limited to 4 GiB, and its own message on exhaustion does not help. A
 * computed index out of range, which the program or tfjs-node rejects, may result from NaN and becomes a RunFailure; an
 * index from an input does not.
 */
function guarded<T>({ tf, device }: LoadedTfjs, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const [line = ''] = text.split('\n');
    if (/\bindices\b.*\bnot in/.test(line)) throw new RunFailure(`the program cannot run: ${line}`);
    if (/ must lie in 0\.\.\d+$/.test(line))
      throw line.startsWith('an index') ? new RunFailure(line) : new UserError(line);
    if (device !== 'wasm' || !/memory|alloc|abort|array length/i.test(text)) throw error;
    const held = (tf.memory().numBytes / 2 ** 30).toFixed(1);
    throw new UserError(
      `memory does not suffice: tensors of ${held} GiB were there when WebAssembly, which has 4 GiB at most, gave up ` +
        `(${text.split('\n')[0]}); use a smaller batch (--set B=…), tfjs-node, or --backend onnx`,
    );
  }
}

function fed(feeds: Feeds, name: string): HostTensor {
  const tensor = feeds[name];
  if (tensor === undefined) throw new Error(`bug in crobc: nothing feeds the input ${name}`);
  return tensor;
}

/** Returns the shapes of all state tensors and weights by state name. */
function shapesOf(steps: StepParts<StepGraph>, inference: Graph): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const node of inference.nodes)
    if (node.op === 'weight')
      shapes.set(
        weightState(node.attributes),
        node.outputs[0].type.shape.map((dim) => asConstant(dim)!),
      );
  for (const { name, shape } of statesOf(steps)) shapes.set(name, shape);
  return shapes;
}
