import type { Graph } from '../../compiler/ir/graph.ts';
import { type StepGraph, stepNames } from '../../compiler/training/step-graph.ts';
import { ArrayPool, orOrdinary } from '../ort/array-pool.ts';
import type { Engine } from '../ort/engine.ts';
import { firstNonFinite } from '../ort/first-non-finite.ts';
import { openEngine } from '../ort/open-engine.ts';
import type { Device, Feeds, HostTensor } from '../ort/session.ts';
import { sized } from '../ort/sized-graph.ts';
import type { Look, StepParts, StepResult, StepScalars, TrainingBackend } from './backend.ts';
import { type Inference, openInference, withOpenWeights } from './onnx-inference.ts';
import { ResidentState } from './resident-state.ts';
import { statesOf } from './state.ts';
import { stepForm } from './step-model.ts';
import { only, openStepSession, type StepNumbers, type StepSession } from './step-session.ts';

export interface OnnxBackendOptions {
  readonly steps: StepParts<StepGraph>;
  /** The model's inference form; weights are `weight` nodes. */
  readonly inference: Graph;
  /** All state tensors by name, including the weights of `inference`. The back end updates the arrays in place. */
  readonly state: ReadonlyMap<string, Float32Array>;
  readonly seed: number;
  readonly device: Device | 'auto';
  readonly threads: number | undefined;
  /** Whether CUDA may round the factors of f32 products; default true. */
  readonly tf32?: boolean | undefined;
}

export interface OnnxBackend extends TrainingBackend {
  readonly look: Look;
}

/**
 * Trains in onnxruntime. The step graph is a model without weights, whose state stays on the device; on the CPU, in the
 * memory of this process. Each output `next:x` is written to the memory of x, so a step does not allocate memory for the
 * state. The few outputs that the compiler could not prove to be safe in place are written to other memory and copied.
 * Throws a UserError if the device is not available.
 */
export async function openOnnxBackend(
  options: OnnxBackendOptions,
  open: (device: Device | 'auto') => Promise<Engine> = (device) => openEngine(device, { tf32: options.tf32 ?? true }),
): Promise<OnnxBackend> {
  const { seed, threads, steps } = options;
  const engine = await open(options.device);
  const { device } = engine;
  const form = await stepForm(device, threads);
  const state = await ResidentState.hold(engine, options.state, steps);
  const numbers: StepNumbers = {
    learningRate: engine.array({ dtype: 'f32', shape: [] }),
    step: engine.array({ dtype: 'i32', shape: [] }),
  };
  // On the CPU, arrays of any kind are used where they are.
  const feedArrays = engine.residence === 'device' ? new ArrayPool(orOrdinary(engine.array)) : undefined;
  const clear = await state.clearing(statesOf(steps).filter(({ kind }) => kind === 'gradient'));

  const openStep = (graph: StepGraph): Promise<StepSession> =>
    openStepSession(graph, { engine, state, numbers, threads, form });
  const parts: StepSessions =
    'whole' in steps
      ? { batch: await openStep(steps.whole), update: undefined }
      : { batch: await openStep(steps.accumulate), update: await openStep(steps.update) };
  const note = backendNote(engine, parts);

  const begin = async (batches: readonly Feeds[], scalars: StepScalars): Promise<void> => {
    const wanted = 'whole' in steps ? 1 : steps.times;
    if (batches.length !== wanted) throw new Error(`bug in crobc: ${batches.length} micro-batches of ${wanted}`);
    numbers.learningRate.data[0] = scalars.learningRate;
    numbers.step.data[0] = scalars.step;
    await clear();
  };

  const look = lookInto(options, { parts, begin, state, device });
  let inference: Promise<Inference> | undefined;
  return {
    name: 'onnx',
    device,
    ...(note === undefined ? {} : { note }),
    readsCopies: engine.residence === 'device',
    feedArrays,
    async step(batches, scalars) {
      await begin(batches, scalars);
      const sums = new Sums();
      const { step } = scalars;
      const next = { seed, step: step + 1, micro: 0 };
      for (const [micro, feeds] of batches.entries()) {
        const drawn = parts.batch.draws.take({ seed, step, micro });
        const running = parts.batch.run({ ...only(feeds, parts.batch), ...drawn });
        parts.batch.draws.prepare(micro + 1 < batches.length ? { seed, step, micro: micro + 1 } : next);
        await running;
        sums.add(parts.batch.results);
      }
      await parts.update?.run({});
      return sums.result(batches.length, (parts.update ?? parts.batch).results);
    },
    read: () => state.read(),
    write: (values) => state.write(values),
    async predict(feeds) {
      inference ??= openInference(options.inference, engine, state, threads);
      const { predict } = await inference;
      return predict(feeds);
    },
    look,
    async release() {
      feedArrays?.close();
      await parts.batch.release();
      await parts.update?.release();
      await (await inference)?.release();
      await engine.release();
    },
  };
}

/** What the user is told of the device: what the engine says, and why a step on CUDA starts each kernel by itself. */
function backendNote({ device, note }: Engine, { batch, update }: StepSessions): string | undefined {
  const why = device === 'cuda' ? (batch.uncaptured ?? update?.uncaptured) : undefined;
  const parts = [note, why && `steps are not CUDA graphs: ${why}`].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join('; ');
}

/** Sessions of a step: for a micro-batch and, with accumulation, for the update after the last one. */
interface StepSessions {
  readonly batch: StepSession;
  readonly update: StepSession | undefined;
}

interface LookedInto {
  readonly parts: StepSessions;
  readonly begin: (batches: readonly Feeds[], scalars: StepScalars) => Promise<void>;
  readonly state: ResidentState;
  readonly device: Device;
}

/** Searches for the first operator with a result that is not finite. */
function lookInto({ inference, seed, threads }: OnnxBackendOptions, { parts, begin, state, device }: LookedInto): Look {
  return {
    async inStep(batches, scalars, stopped) {
      await begin(batches, scalars);
      const into = async (part: StepSession, feeds: Feeds) => {
        await state.download();
        return firstNonFinite(part.graph.graph, { ...part.bound, ...feeds }, { device, threads, stopped });
      };
      for (const [micro, feeds] of batches.entries()) {
        const drawn = parts.batch.draws.take({ seed, step: scalars.step, micro });
        const needed = { ...only(feeds, parts.batch), ...drawn };
        const found = await into(parts.batch, needed);
        if (found || stopped()) return found && { ...found, micro };
        if (parts.update) await parts.batch.run(needed);
      }
      return parts.update && into(parts.update, {});
    },
    async inPrediction(feeds, stopped) {
      await state.download();
      const { graph, weights } = withOpenWeights(inference, state.arrays);
      const bound: Record<string, HostTensor> = {};
      for (const { input, state: name, shape } of weights) bound[input] = (await state.tensor(name, shape)).host;
      return firstNonFinite(sized(graph, feeds), { ...bound, ...feeds }, { device, threads, stopped });
    },
  };
}

function scalingOf(results: ReadonlyMap<string, Float32Array>): Pick<StepResult, 'scaling'> {
  const [inverse, applied] = [stepNames.inverseScale, stepNames.applied].map((name) => results.get(name)?.[0]);
  return inverse === undefined ? {} : { scaling: { scale: 1 / inverse, skipped: applied === 0 } };
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
      ...scalingOf(last),
    };
  }
}
