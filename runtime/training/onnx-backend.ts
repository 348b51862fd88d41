import type { Graph } from '../../compiler/ir/graph.ts';
import { type StepGraph, stepNames } from '../../compiler/training/step.ts';
import { firstNonFinite } from '../ort/first-non-finite.ts';
import { serialScatter } from '../ort/serial-scatter.ts';
import { chooseDevice, type Device, type Feeds } from '../ort/session.ts';
import { sized } from '../ort/sized-graph.ts';
import type { Look, StepParts, StepResult, StepScalars, TrainingBackend } from './backend.ts';
import { type Inference, openInference, withOpenWeights } from './onnx-inference.ts';
import { statesOf } from './state.ts';
import { arrayOf, drawInto, only, openStepSession, type StepNumbers, type StepSession } from './step-session.ts';

export interface OnnxBackendOptions {
  readonly steps: StepParts<StepGraph>;
  /** The model's inference form; weights are `weight` nodes. */
  readonly inference: Graph;
  /** All state tensors by name, including the weights of `inference`. The back end updates the arrays in place. */
  readonly state: ReadonlyMap<string, Float32Array>;
  readonly seed: number;
  readonly device: Device | 'auto';
  readonly threads: number | undefined;
}

export interface OnnxBackend extends TrainingBackend {
  readonly look: Look;
}

/**
 * Trains in onnxruntime. The step graph is a model without weights, whose state is in the memory of this process. Each
 * output `next:x` is written to the buffer of x, so a step does not allocate memory for the state. The few outputs that
 * the compiler could not prove to be safe in place are written to another buffer and copied. Throws a UserError if the
 * device is not available.
 */
export async function openOnnxBackend(options: OnnxBackendOptions): Promise<OnnxBackend> {
  const { seed, threads } = options;
  const { device, note } = await chooseDevice(options.device);
  const serial = device === 'cpu' ? await serialScatter(threads) : 0;
  const packs = new Map<string, Float32Array>();
  const state = packedState(options.state, options.steps, packs);
  const numbers: StepNumbers = { learningRate: new Float32Array(1), step: new Int32Array(1) };
  const accumulators = statesOf(options.steps).filter(({ kind }) => kind === 'gradient');

  const open = (graph: StepGraph): Promise<StepSession> =>
    openStepSession(graph, { state, packs, numbers, device, threads, serial });
  const { steps } = options;
  const parts: StepSessions =
    'whole' in steps
      ? { batch: await open(steps.whole), update: undefined }
      : { batch: await open(steps.accumulate), update: await open(steps.update) };

  const begin = (batches: readonly Feeds[], scalars: StepScalars): void => {
    const wanted = 'whole' in steps ? 1 : steps.times;
    if (batches.length !== wanted) throw new Error(`bug in crobc: ${batches.length} micro-batches of ${wanted}`);
    numbers.learningRate[0] = scalars.learningRate;
    numbers.step[0] = scalars.step;
    for (const tensor of accumulators) arrayOf(state, tensor).fill(0);
  };

  const look = lookInto(options, { parts, begin, state, device });
  let inference: Promise<Inference> | undefined;
  return {
    name: 'onnx',
    device,
    ...(note === undefined ? {} : { note }),
    async step(batches, scalars) {
      begin(batches, scalars);
      const sums = new Sums();
      for (const [micro, feeds] of batches.entries()) {
        drawInto(parts.batch, { seed, step: scalars.step, micro });
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

/** Sessions of a step: for a micro-batch and, with accumulation, for the update after the last one. */
interface StepSessions {
  readonly batch: StepSession;
  readonly update: StepSession | undefined;
}

interface LookedInto {
  readonly parts: StepSessions;
  readonly begin: (batches: readonly Feeds[], scalars: StepScalars) => void;
  readonly state: ReadonlyMap<string, Float32Array>;
  readonly device: Device;
}

/** Searches for the first operator with a result that is not finite. */
function lookInto({ inference, seed, threads }: OnnxBackendOptions, { parts, begin, state, device }: LookedInto): Look {
  return {
    async inStep(batches, scalars, stopped) {
      begin(batches, scalars);
      const into = (part: StepSession, feeds: Feeds) =>
        firstNonFinite(part.graph.graph, { ...part.bound, ...feeds }, { device, threads, stopped });
      for (const [micro, feeds] of batches.entries()) {
        drawInto(parts.batch, { seed, step: scalars.step, micro });
        const needed = only(feeds, parts.batch);
        const found = await into(parts.batch, needed);
        if (found || stopped()) return found && { ...found, micro };
        if (parts.update) await parts.batch.run(needed);
      }
      return parts.update && into(parts.update, {});
    },
    async inPrediction(feeds, stopped) {
      const { graph, bound } = withOpenWeights(inference, state);
      return firstNonFinite(sized(graph, feeds), { ...bound, ...feeds }, { device, threads, stopped });
    },
  };
}

/** Moves the state tensors of each pack into one array, added to `packs`; returns the state with views into these. */
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

/** Averages the losses of micro-batches. */
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
