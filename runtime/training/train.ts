import { join } from 'node:path';
import type { Origin } from '../../compiler/ir/graph.ts';
import type { Training } from '../../compiler/training/compile-training.ts';
import type { StateTensor } from '../../compiler/training/step.ts';
import type { OnBad } from '../data/problems.ts';
import { makeFolder } from '../make-folder.ts';
import { startProgress } from '../progress.ts';
import type { Device } from '../session.ts';
import { openEventFile } from '../tensorboard.ts';
import { UserError } from '../user-error.ts';
import { type Best, CheckpointStore, type StoredTensor } from './checkpoint.ts';
import { openTrainingData, stepBatches, type TrainingData } from './data.ts';
import { explainNonFinite } from './explain-non-finite.ts';
import { initialState } from './initial-state.ts';
import { beginning, trainLoop } from './loop.ts';
import { openMetricsLog } from './metrics-log.ts';
import { NonFiniteStep } from './non-finite-step.ts';
import { type BackendOptions, lookingBackend, openBackend } from './open-backend.ts';
import { type Plan, planRun } from './plan.ts';
import { checkIdentity, runIdentity } from './run-identity.ts';
import { lockRun } from './run-lock.ts';
import { scheduleFactor } from './schedule.ts';
import { averageState, elementsOf, statesOf, weightState } from './state.ts';
import { stepParts } from './step-parts.ts';
import { listenForStop, type StopSignal } from './stop-signal.ts';
import { validation, validationSettings } from './validation.ts';

export interface TrainOptions {
  readonly training: Training;
  readonly data: string;
  readonly backend: 'onnx' | 'tfjs';
  readonly device: Device | 'auto';
  readonly threads: number | undefined;
  /** Instead of the recipe's length. */
  readonly steps: number | undefined;
  /** Instead of the recipe's seed: of initial weights, order, dropout. */
  readonly seed: number | undefined;
  readonly resume: boolean;
  /** Modules whose activations are computed again for the gradients: less memory, more time. */
  readonly recompute: readonly string[];
  readonly weightsFile: string | undefined;
  readonly tokenizer: string | undefined;
  /** Every phrase is blanked: what can be learnt without words. */
  readonly blank: boolean;
  readonly onBad: OnBad;
  readonly out: string;
  /** Where a node was written, for messages: `models/crobim.crob:41`. */
  readonly place: (origin: Origin) => string;
  /** One line for the user. */
  note(line: string): void;
}

export interface Trained {
  readonly model: string;
  readonly recipe: string;
  readonly device: string;
  readonly end: 'done' | 'early stop' | StopSignal;
  readonly step: number;
  readonly steps: number;
  readonly seconds: number;
  readonly loss: number | null;
  readonly metric: string;
  readonly best: Best | null;
  readonly files: {
    readonly best: string | null;
    readonly last: string | null;
    readonly checkpoint: string | null;
    readonly metrics: string;
    readonly events: string;
  };
  readonly tokenizer: string;
}

/**
 * Seconds between checkpoints: at most, where epochs are longer, and at least, where they are shorter and the recipe does
 * not say how often.
 */
const checkpointSeconds = { most: 300, least: 15 };

/** Trains a model as its recipe says, and leaves weights, checkpoints and logs in a folder. Throws a UserError in one line. */
export async function train(options: TrainOptions): Promise<Trained> {
  const { training, out, note } = options;
  const { recipe } = training;
  if (recipe.startFrom !== undefined && options.weightsFile === undefined && !options.resume) {
    throw new UserError(
      `recipe ${recipe.name} starts from the result of ${recipe.startFrom}: give it with --weights (best.safetensors in the folder of that run)`,
    );
  }
  const settings = validationSettings(recipe.protocol, recipe.metric);
  const { data, plan } = await prepare(options, out);
  if (data.val === undefined) note(`${options.data} has no split "val": nothing is evaluated, and no weights are best`);

  await makeFolder(out);
  const unlock = await lockRun(out);
  try {
    return await run(options, { plan, data, settings });
  } finally {
    await unlock();
  }
}

/** Opens the data and lays out the run over them. */
async function prepare(options: TrainOptions, cache: string | undefined): Promise<Pick<Prepared, 'data' | 'plan'>> {
  const { training, tokenizer, onBad, note } = options;
  const { recipe } = training;
  const data = await openTrainingData({ training, dir: options.data, tokenizer, onBad, cache, report: note });
  const plan = planRun({
    samples: data.train.samples.length,
    batch: data.sizes.batch,
    accumulate: recipe.accumulate,
    length: recipe.length,
    steps: options.steps,
    evaluateEvery: recipe.evaluateEvery,
    checkpointEvery: recipe.checkpointEvery,
  });
  return { data, plan };
}

/** The plan of a run over its data, for those who only want to know. */
export async function planOf(options: TrainOptions): Promise<Plan> {
  return (await prepare(options, undefined)).plan;
}

interface Prepared {
  readonly plan: Plan;
  readonly data: TrainingData;
  readonly settings: ReturnType<typeof validationSettings>;
}

async function run(options: TrainOptions, { plan, data, settings }: Prepared): Promise<Trained> {
  const { training, out, note, blank, onBad } = options;
  const { recipe } = training;
  const seed = options.seed ?? recipe.seed;
  const store = new CheckpointStore(out);
  await store.clearUnfinished();
  if (!options.resume && (await store.steps()).length > 0) {
    throw new UserError(
      `${out} holds a run that came to step ${(await store.steps())[0]}: go on with it (--resume), or choose another folder (-o)`,
    );
  }
  const identity = runIdentity({
    training,
    backend: options.backend,
    seed,
    steps: plan.steps,
    blank,
    data: data.hash,
  });
  const checkpoint = await store.latest(note);
  const changed = checkpoint && checkIdentity(checkpoint, identity);
  if (changed) note(changed);
  if (options.resume && !checkpoint) note(`${out} has no checkpoint: training begins at the beginning`);
  const from = checkpoint?.progress ?? beginning;

  const steps = stepParts(training, { recompute: options.recompute, packed: options.backend === 'onnx' });
  const states = statesOf(steps);
  const stored = storedTensors(training, states);
  const begin = () =>
    initialState({
      weights: training.weights,
      state: states,
      seed,
      weightsFile: options.weightsFile,
      inits: recipe.inits,
    });
  const state = checkpoint ? withAccumulators(await store.load(checkpoint, stored), states) : await begin();
  if (checkpoint) await store.expose(from);

  const opening: BackendOptions = {
    backend: options.backend,
    model: recipe.model,
    steps,
    inference: training.inference,
    seed,
    device: options.device,
    threads: options.threads,
    folder: out,
  };
  const backend = await openBackend(opening, state);
  if (backend.note) note(backend.note);
  const learningRate = (step: number) => recipe.optimizer.lr * scheduleFactor(recipe.schedule, step - 1, plan.steps);
  const batches = (step: number) =>
    stepBatches(step, {
      data,
      plan,
      accumulate: recipe.accumulate,
      seed,
      augment: recipe.augment,
      blank,
      onBad,
      report: note,
    });
  const metrics = await openMetricsLog(join(out, 'metrics.jsonl'), from);
  const eventsDir = join(out, 'events');
  const events = await openEventFile(eventsDir, from.step > 0 ? { resumedAt: from.step + 1 } : {});
  const progress = startProgress('training', plan.steps, { from: from.step });
  let asked = 'finishing the step and saving it';
  const stop = listenForStop((signal) => note(`${signal}: ${asked}; once more ends at once`));
  let scored = from.best ? `best ${settings.metric} ${from.best.score.toFixed(4)}` : '';
  try {
    const result = await trainLoop({
      backend,
      plan,
      learningRate,
      batches,
      evaluate:
        data.val &&
        validation({
          backend,
          dataset: data.val,
          sizes: data.sizes,
          tokenizer: data.tokenizer,
          ...settings,
          blank,
          onBad,
          stop,
          events,
          report: note,
        }),
      earlyStop: recipe.earlyStop,
      checkpointSeconds: recipe.checkpointEvery === undefined ? checkpointSeconds : { ...checkpointSeconds, least: 0 },
      from,
      store,
      identity,
      stored,
      metrics,
      events,
      stop,
      onStep(step, { loss }, rate) {
        const epoch = Math.ceil(step / plan.stepsPerEpoch);
        const parts = [`epoch ${epoch}`, `loss ${loss.toFixed(4)}`, `lr ${rate.toPrecision(3)}`, scored];
        progress.update(step, parts.filter((part) => part !== '').join(', '));
      },
      onEvaluation(_step, { score }) {
        scored = `${settings.metric} ${score.toFixed(4)}`;
      },
    });
    const { step, best, seconds, last } = result.progress;
    return {
      model: recipe.model,
      recipe: recipe.name,
      device: backend.device,
      end: result.end,
      step,
      steps: plan.steps,
      seconds,
      loss: last?.loss ?? null,
      metric: settings.metric,
      best,
      files: {
        best: best ? join(out, 'best.safetensors') : null,
        last: step > 0 ? join(out, 'last.safetensors') : null,
        checkpoint: step > 0 ? store.pathOf(step) : null,
        metrics: metrics.path,
        events: eventsDir,
      },
      tokenizer: data.tokenizerFile,
    };
  } catch (error) {
    if (!(error instanceof NonFiniteStep)) throw error;
    progress.finish();
    asked = 'leaving the search';
    const said = error.failure ? ` (${error.failure.message})` : '';
    note(`step ${error.step}: ${error.what}${said}; looking for the operator that made it`);
    const good = await store.latest(note, error.step);
    const held = async () => (good ? withAccumulators(await store.load(good, stored), states) : begin());
    const looking = await lookingBackend(backend, opening, await held());
    try {
      const found = await explainNonFinite(error, {
        ...looking,
        from: good?.progress.step ?? 0,
        restart: async () => looking.backend.write(await held()),
        batches,
        learningRate,
        stopped: () => stop.signal !== undefined,
      });
      throw new UserError(nonFiniteMessage(error, found, good?.path, stop.signal !== undefined, options));
    } finally {
      if (looking.backend !== backend) await looking.backend.release();
    }
  } finally {
    stop.release();
    progress.finish();
    await metrics.close();
    await events.close();
    await backend.release();
  }
}

function nonFiniteMessage(
  { step, what, failure }: NonFiniteStep,
  found: Awaited<ReturnType<typeof explainNonFinite>>,
  checkpoint: string | undefined,
  stopped: boolean,
  { place, training }: TrainOptions,
): string {
  const where = checkpoint ? `the last good checkpoint is ${checkpoint}` : 'there is no checkpoint before it';
  if (stopped) return `step ${step}: ${what}; the search for the operator was left; ${where}`;
  if (found === undefined) return `step ${step}: ${failure?.message ?? what}; no operator made NaN or Inf; ${where}`;
  const { op, made, origin } = found;
  const { recipe, forward } = training;
  // What is done with a gradient has the line of its weight, or else that of the optimizer.
  const weight = forward.build.nodes.find((node) => node.op === 'weight' && node.attributes.path === origin.path);
  const line = place(origin) || (weight && place(weight.origin)) || recipe.sources.get('optimizer');
  const operator = origin.label === '' || origin.label === op ? op : `${op} (${origin.label})`;
  const module = origin.path === '' ? recipe.model : origin.path;
  const earlier = found.step === step ? '' : ` at step ${found.step}`;
  return `step ${step}: ${what}; the first ${made} came out of ${operator} in ${module}${line ? `, ${line}` : ''}${earlier}; ${where}`;
}

/** A checkpoint's state and the accumulators, which it leaves out: they are empty between steps. */
function withAccumulators(
  loaded: Map<string, Float32Array>,
  states: readonly StateTensor[],
): Map<string, Float32Array> {
  for (const { name, kind, shape } of states)
    if (kind === 'gradient') loaded.set(name, new Float32Array(elementsOf(shape)));
  return loaded;
}

/** Which tensor goes where: the weights that predictions use by their own paths, everything else by its state's name. */
function storedTensors(training: Training, states: readonly StateTensor[]): StoredTensor[] {
  const names = new Set(states.map(({ name }) => name));
  const stored: StoredTensor[] = [];
  const exported = new Set<string>();
  for (const weight of training.weights) {
    const { path, shape } = weight;
    const name = names.has(averageState(path)) ? averageState(path) : weightState(weight);
    exported.add(name);
    stored.push({ name, file: 'weights', as: path, shape });
  }
  for (const { name, kind, shape } of states)
    if (kind !== 'gradient' && !exported.has(name)) stored.push({ name, file: 'state', as: name, shape });
  return stored;
}
