import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { indexInputs } from '../../compiler/graphs/index-check.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { type StateTensor, type StepGraph, stepNames } from '../../compiler/training/step.ts';
import { packageVersion } from '../files/package-root.ts';
import { encodeOnnx } from '../onnx/onnx-file.ts';
import { firstNonFinite } from '../ort/first-non-finite.ts';
import { rowNumberCheck } from '../ort/row-numbers.ts';
import { serialScatter } from '../ort/serial-scatter.ts';
import {
  chooseDevice,
  type Device,
  type Feeds,
  type HostTensor,
  openSession,
  type PreparedRun,
  type Session,
} from '../ort/session.ts';
import { sized } from '../ort/sized-graph.ts';
import type { Look, StepParts, StepResult, StepScalars, TrainingBackend } from './backend.ts';
import { fillDraw } from './draws.ts';
import { type Inference, openInference, withOpenWeights } from './onnx-inference.ts';
import { elementsOf, statesOf } from './state.ts';

export interface OnnxBackendOptions {
  readonly steps: StepParts<StepGraph>;
  /** The model's inference form; its weights are `weight` nodes. */
  readonly inference: Graph;
  /** Every state tensor by name, and every weight of `inference` by its state's name. The arrays become the backend's. */
  readonly state: ReadonlyMap<string, Float32Array>;
  readonly seed: number;
  readonly device: Device | 'auto';
  readonly threads: number | undefined;
}

export interface OnnxBackend extends TrainingBackend {
  readonly look: Look;
}

/** One step graph in a session, its state, draws and numbers bound to buffers. */
interface Part {
  readonly graph: StepGraph;
  readonly run: PreparedRun;
  readonly bound: Feeds;
  readonly draws: readonly { readonly name: string; readonly out: Float32Array }[];
  readonly results: ReadonlyMap<string, Float32Array>;
  readonly session: Session;
}

/**
 * Trains in onnxruntime: the step graph is one model without weights inside, its state is this process's memory, and
 * every `next:x` is written into x's own buffer, so that a step allocates nothing of the model's size; the few that the
 * compiler could not prove to be in time are written beside it, and copied.
 * Throws a UserError where the device is not there.
 */
export async function openOnnxBackend(options: OnnxBackendOptions): Promise<OnnxBackend> {
  const { seed, threads } = options;
  const { device, note } = await chooseDevice(options.device);
  const serial = device === 'cpu' ? await serialScatter(threads) : 0;
  const packs = new Map<string, Float32Array>();
  const state = packedState(options.state, options.steps, packs);
  const learningRate = new Float32Array(1);
  const stepNumber = new Int32Array(1);
  const accumulators = statesOf(options.steps).filter(({ kind }) => kind === 'gradient');

  const open = async (graph: StepGraph): Promise<Part> => {
    const emitted = emitOnnx(graph.graph, {
      producerVersion: packageVersion(),
      serialScatter: serial,
      hostChecks: indexInputs(graph.graph),
    });
    const session = await openSession(await encodeOnnx(emitted, noWeights), {
      device,
      planMemory: false,
      ...(threads === undefined ? {} : { threads }),
    });
    const has = new Set(emitted.graph.inputs.map(({ name }) => name));
    const feeds: Record<string, HostTensor> = {};
    const into: Record<string, HostTensor> = {};
    const apart = new Set(graph.apart);
    const copies: { readonly from: Float32Array; readonly to: Float32Array }[] = [];
    /** Where a new value is written: over the old one, or where it waits for the end of the run. */
    const written = (name: string, held: HostTensor, data: Float32Array): HostTensor => {
      if (!apart.has(name)) return held;
      const from = new Float32Array(data.length);
      copies.push({ from, to: data });
      return { ...held, data: from };
    };
    for (const tensor of graph.state) {
      const data = arrayOf(state, tensor);
      const held: HostTensor = { dtype: 'f32', shape: tensor.shape, data };
      if (has.has(tensor.name)) feeds[tensor.name] = held;
      if (tensor.next !== undefined) into[tensor.next] = written(tensor.name, held, data);
    }
    for (const { name, next, size } of graph.packs) {
      const data = packs.get(name)!;
      const held: HostTensor = { dtype: 'f32', shape: [size], data };
      feeds[name] = held;
      if (next !== undefined) into[next] = written(name, held, data);
    }
    const draws = graph.draws.map(({ name, shape }) => {
      const out = new Float32Array(elementsOf(shape));
      feeds[name] = { dtype: 'f32', shape, data: out };
      return { name, out };
    });
    if (has.has(stepNames.learningRate))
      feeds[stepNames.learningRate] = { dtype: 'f32', shape: [], data: learningRate };
    if (has.has(stepNames.number)) feeds[stepNames.number] = { dtype: 'i32', shape: [], data: stepNumber };
    const results = new Map<string, Float32Array>();
    for (const { name } of graph.graph.outputs) {
      if (name in into) continue;
      const data = new Float32Array(1);
      results.set(name, data);
      into[name] = { dtype: 'f32', shape: [], data };
    }
    const run = session.prepare({ feeds, into });
    const checkRowNumbers = rowNumberCheck(graph.graph);
    return {
      graph,
      run: async (batch) => {
        checkRowNumbers(batch);
        await run(batch);
        for (const { from, to } of copies) to.set(from);
      },
      bound: feeds,
      draws,
      results,
      session,
    };
  };

  const { steps } = options;
  const parts =
    'whole' in steps
      ? { batch: await open(steps.whole), update: undefined }
      : { batch: await open(steps.accumulate), update: await open(steps.update) };

  const prepareDraws = (part: Part, step: number, micro: number): void => {
    for (const { name, out } of part.draws) fillDraw(out, name, { seed, step, micro });
  };
  const begin = (batches: readonly Feeds[], scalars: StepScalars): void => {
    const wanted = 'whole' in steps ? 1 : steps.times;
    if (batches.length !== wanted) throw new Error(`bug in crobc: ${batches.length} micro-batches of ${wanted}`);
    learningRate[0] = scalars.learningRate;
    stepNumber[0] = scalars.step;
    for (const tensor of accumulators) arrayOf(state, tensor).fill(0);
  };

  const look: Look = {
    async inStep(batches, scalars, stopped) {
      begin(batches, scalars);
      const into = (part: Part, feeds: Feeds) =>
        firstNonFinite(part.graph.graph, { ...part.bound, ...feeds }, { device, threads, stopped });
      for (const [micro, feeds] of batches.entries()) {
        prepareDraws(parts.batch, scalars.step, micro);
        const needed = only(feeds, parts.batch);
        const found = await into(parts.batch, needed);
        if (found || stopped()) return found && { ...found, micro };
        if (parts.update) await parts.batch.run(needed);
      }
      return parts.update && into(parts.update, {});
    },
    async inPrediction(feeds, stopped) {
      const { graph, bound } = withOpenWeights(options.inference, state);
      return firstNonFinite(sized(graph, feeds), { ...bound, ...feeds }, { device, threads, stopped });
    },
  };

  let inference: Promise<Inference> | undefined;
  return {
    name: 'onnx',
    device,
    ...(note === undefined ? {} : { note }),
    async step(batches, scalars) {
      begin(batches, scalars);
      const sums = new Sums();
      for (const [micro, feeds] of batches.entries()) {
        prepareDraws(parts.batch, scalars.step, micro);
        await parts.batch.run(only(feeds, parts.batch));
        sums.add(parts.batch.results);
      }
      await parts.update?.run({});
      return sums.result(batches.length, (parts.update ?? parts.batch).results);
    },
    async read() {
      return state;
    },
    async write(values) {
      for (const [name, data] of values) {
        const held = state.get(name);
        if (held?.length !== data.length) throw new Error(`bug in crobc: no state ${name} of ${data.length} elements`);
        if (held !== data) held.set(data);
      }
    },
    async predict(feeds) {
      inference ??= openInference(options.inference, state, device, threads);
      const { session, bound, output, checkRowNumbers } = await inference;
      checkRowNumbers(feeds);
      const results = await session.run({ ...bound, ...feeds }, { wanted: [output] });
      return results[output]!;
    },
    look,
    async release() {
      await parts.batch.session.release();
      await parts.update?.session.release();
      const { session } = (await inference) ?? {};
      await session?.release();
    },
  };
}

/** The state with what the steps have as packs moved behind one another, into arrays that are left in `packs`. */
function packedState(
  state: ReadonlyMap<string, Float32Array>,
  steps: StepParts<StepGraph>,
  packs: Map<string, Float32Array>,
): ReadonlyMap<string, Float32Array> {
  const moved = new Map(state);
  for (const graph of 'whole' in steps ? [steps.whole] : [steps.accumulate, steps.update])
    for (const { name, parts, size } of graph.packs) {
      if (packs.has(name)) continue;
      const whole = new Float32Array(size);
      packs.set(name, whole);
      let end = 0;
      for (const part of parts) {
        const data = state.get(part)!;
        const view = whole.subarray(end, end + data.length);
        view.set(data);
        moved.set(part, view);
        end += data.length;
      }
    }
  return moved;
}

const noWeights = {
  read(path: string): never {
    throw new Error(`bug in crobc: the weight ${path} is in a step graph, which takes all state as inputs`);
  },
};

function arrayOf(state: ReadonlyMap<string, Float32Array>, { name, shape }: StateTensor): Float32Array {
  const data = state.get(name);
  if (data?.length !== elementsOf(shape))
    throw new Error(`bug in crobc: ${data?.length} elements for the state ${name}`);
  return data;
}

/** The feeds that a graph has inputs for: a data set may hold more than a model asks for. */
function only(feeds: Feeds, { graph, bound }: Part): Feeds {
  const needed: Record<string, HostTensor> = {};
  for (const { name } of graph.graph.inputs) {
    const held = feeds[name];
    if (held) needed[name] = held;
    else if (!(name in bound)) throw new Error(`bug in crobc: nothing feeds the input ${name} of the step`);
  }
  return needed;
}

/** Losses of the micro-batches, averaged. */
class Sums {
  #loss = 0;
  readonly #terms: Record<string, number> = {};

  add(results: ReadonlyMap<string, Float32Array>): void {
    this.#loss += results.get(stepNames.loss)?.[0] ?? Number.NaN;
    for (const [name, [value]] of results) {
      if (!name.startsWith('term:')) continue;
      const term = name.slice('term:'.length);
      this.#terms[term] = (this.#terms[term] ?? 0) + value!;
    }
  }

  result(times: number, last: ReadonlyMap<string, Float32Array>): StepResult {
    return {
      loss: this.#loss / times,
      terms: Object.fromEntries(Object.entries(this.#terms).map(([name, sum]) => [name, sum / times])),
      gradientNorm: last.get(stepNames.gradientNorm)?.[0] ?? Number.NaN,
    };
  }
}
