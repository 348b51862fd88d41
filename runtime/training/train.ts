import { join } from 'node:path';
import type { Origin } from '../../compiler/ir/graph.ts';
import type { Training } from '../../compiler/training/compile-training.ts';
import { defaultInterval } from '../../compiler/training/recipe.ts';
import type { TrainingCompiled } from '../build/source-model.ts';
import { cutPhrases } from '../data/cut-phrases.ts';
import type { OnBad } from '../data/problems.ts';
import type { OnSizeMismatch } from '../data/size-mismatch.ts';
import { makeFolder } from '../files/make-folder.ts';
import { packageVersion } from '../files/package-root.ts';
import { UserError } from '../files/user-error.ts';
import type { ColourChoice } from '../images/colours.ts';
import type { Device } from '../ort/session.ts';
import { noWords, refuseVocabulary, wordsOf } from '../predict/referring-model.ts';
import { differencesFrom } from '../predict/trained-model.ts';
import { during, whileAt } from '../process/stage.ts';
import { exitCodeOf, listenForStop, type StopRequest, type StopSignal } from '../process/stop-signal.ts';
import { surroundings } from '../process/surroundings.ts';
import { type VocabularyText, vocabularyName } from '../text/tokenizer.ts';
import type { Truncation } from '../text/truncation.ts';
import { type FoundRecord, recordFor, recordMetadata } from '../weights/trained-record.ts';
import { checkMemory } from './check-memory.ts';
import { type Best, type Checkpoint, CheckpointStore, type Progress, type Surroundings } from './checkpoint.ts';
import { openTrainingData, stepBatches, type TrainingData } from './data.ts';
import type { Resizing } from './device-need.ts';
import { type InitReports, initReports, shownInits } from './init-files.ts';
import { initialState } from './initial-state.ts';
import { beginning, trainLoop } from './loop.ts';
import { openMetricsLog } from './metrics-log.ts';
import { NonFiniteStep } from './non-finite-step.ts';
import { type BackendOptions, openBackend } from './open-backend.ts';
import { type Plan, planRun } from './plan.ts';
import { planNotes } from './plan-notes.ts';
import { plannedStep } from './planned-step.ts';
import { changedSurroundings, checkIdentity, type Matter, runIdentity } from './run-identity.ts';
import { lockRun, type RunLock } from './run-lock.ts';
import { startRunProgress } from './run-progress.ts';
import { runRecord } from './run-record.ts';
import { scheduleFactor } from './schedule.ts';
import { statesOf } from './state.ts';
import { storedTensors, withAccumulators } from './stored-state.ts';
import { openEventFile } from './tensorboard.ts';
import { traceNonFinite } from './trace-non-finite.ts';
import { validation } from './validation.ts';

export interface TrainOptions {
  readonly training: Training;
  /** What the training was compiled from; the files of weights contain it. */
  readonly source: Pick<TrainingCompiled, 'program' | 'file' | 'overrides'>;
  readonly data: string;
  readonly backend: 'onnx' | 'tfjs';
  readonly device: Device | 'auto';
  readonly threads: number | undefined;
  /** Threads that decode images; by default, as many as there are cores but one, 16 at most. */
  readonly decodeThreads?: number | undefined;
  readonly resume: boolean;
  /** Modules whose activations are recomputed in the backward pass, which takes less memory and more time. */
  readonly recompute: readonly string[];
  /** For proposals where a GPU has too little memory; without it, there are none. */
  readonly resizing?: Resizing | undefined;
  readonly weightsFile: string | undefined;
  readonly tokenizer: string | undefined;
  /** How longer phrases are truncated; if undefined, as in the training of the weights, else with [SEP] kept. */
  readonly truncation: Truncation | undefined;
  /** Replaces every phrase by an empty one, to measure what can be learnt from the image alone. */
  readonly blank: boolean;
  readonly onBad: OnBad;
  /** How a mask of another size than its image is handled; if undefined, as a bad sample. */
  readonly onSizeMismatch: OnSizeMismatch | undefined;
  /** How the bands of images become colours. */
  readonly colours: ColourChoice;
  readonly out: string;
  /** Returns the source position of a node, for messages: `models/crobim.crob:41`. */
  readonly place: (origin: Origin) => string;
  /** Prints a note of one line. */
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
  /** What the recipe's `init`s provided; null without any, and for a resumed run. */
  readonly inits: InitReports | null;
  readonly files: {
    readonly best: string | null;
    readonly last: string | null;
    readonly checkpoint: string | null;
    readonly metrics: string;
    readonly events: string;
  };
  /** Null for a model that reads only images. */
  readonly tokenizer: string | null;
}

/**
 * Maximum seconds between checkpoints, for long epochs, and minimum seconds, for short epochs
 * in recipes without `checkpoint_every`.
 */
const checkpointSeconds = { most: 300, least: 15 };

/** Trains a model by its recipe; writes weights, checkpoints and logs to a folder. Throws a UserError of one line. */
export async function train(options: TrainOptions): Promise<Trained> {
  const { out, note } = options;
  if (!options.resume) requireStart(options);
  const { data, plan } = await during(`reading ${options.data}`, () => prepare(options, out));
  for (const set of options.blank ? [] : [data.train, data.val]) {
    const cut = set && data.text && cutPhrases(set, data.text);
    if (cut) note(cut);
  }
  if (data.val === undefined) note(`${options.data} has no split "val": nothing is evaluated, and no weights are best`);

  await makeFolder(out);
  const { signals } = surroundings();
  let phase: Phase = 'starting';
  let locking: Promise<RunLock> | undefined;
  const stop = listenForStop((signal) => {
    if (phase === 'starting') {
      note(`${signal}: ended before the first step, nothing was saved`);
      const end = () => signals.end(exitCodeOf(signal));
      void Promise.resolve(locking)
        .then((lock) => lock?.releaseNow())
        .then(end, end);
    } else {
      const doing = phase === 'searching' ? 'leaving the search' : 'finishing the step and saving it';
      note(`${signal}: ${doing}; once more ends at once`);
    }
  });
  try {
    locking = lockRun(out);
    const lock = await locking;
    try {
      return await run(options, {
        plan,
        data,
        stop,
        enter: (next) => {
          phase = next;
        },
      });
    } finally {
      await lock.release();
    }
  } finally {
    stop.release();
  }
}

/** Returns what the recipe's `init`s provide; undefined without any, and with --weights, which replaces them. */
export async function initsOf({
  training,
  weightsFile,
  note,
}: Pick<TrainOptions, 'training' | 'weightsFile' | 'note'>): Promise<InitReports | undefined> {
  const { inits } = training.recipe;
  if (weightsFile === undefined) return initReports(inits, training);
  if (inits.length > 0) note(`--weights gives every weight: the files of init are not read`);
  return undefined;
}

/** Throws unless a new run has the weights from which its recipe starts. A resumed run does not need them. */
export function requireStart({ training: { recipe }, weightsFile }: TrainOptions): void {
  if (recipe.startFrom === undefined || weightsFile !== undefined) return;
  throw new UserError(
    `recipe ${recipe.name} starts from the result of ${recipe.startFrom}: give it with --weights (best.safetensors in the folder of that run)`,
  );
}

/** Returns what the weights record from which a new run starts; undefined for a resumed run, which does not read them. */
async function startingRecord({ resume, weightsFile }: TrainOptions): Promise<FoundRecord | undefined> {
  return resume ? undefined : await recordFor({}, weightsFile);
}

/** Returns the vocabulary that the weights of the run to resume record, if they are there. */
async function resumedVocabulary({ resume, out }: TrainOptions): Promise<VocabularyText | undefined> {
  if (!resume) return undefined;
  // If these weights are missing or damaged, an earlier checkpoint is resumed, and its identity has the vocabulary's hash.
  const found = await recordFor({}, join(out, 'last.safetensors')).catch((error: unknown) => {
    if (error instanceof UserError) return undefined;
    throw error;
  });
  return found?.vocabulary;
}

/** Opens the data and plans the run. */
async function prepare(options: TrainOptions, cache: string | undefined): Promise<Prepared> {
  const { training, tokenizer, onBad, onSizeMismatch, note } = options;
  const { recipe } = training;
  if (!wordsOf(training.inference)) {
    refuseVocabulary(training.inference, options);
    if (options.blank) throw noWords(training.inference, '--no-phrases');
  }
  const start = await startingRecord(options);
  const data = await openTrainingData({
    training,
    place: options.place,
    dir: options.data,
    tokenizer: tokenizer ?? start?.vocabulary ?? (await resumedVocabulary(options)),
    truncation: options.truncation,
    onBad,
    onSizeMismatch,
    colours: options.colours,
    cache,
    report: note,
  });
  const { text, sizes } = data;
  const graph = training.inference;
  for (const line of start ? await differencesFrom(start, { graph, inputs: { ...sizes, text } }) : []) note(line);
  const plan = planRun({
    samples: data.train.lines,
    batch: data.sizes.batch,
    accumulate: recipe.accumulate,
    length: recipe.length,
    evaluateEvery: recipe.evaluateEvery,
    checkpointEvery: recipe.checkpointEvery ?? defaultInterval(recipe.length),
  });
  for (const line of planNotes(recipe, data.val ? plan : { ...plan, evaluateEvery: 0 })) note(line);
  return { data, plan };
}

/** Returns the plan of a run without starting it. */
export async function planOf(options: TrainOptions): Promise<Plan> {
  return (await prepare(options, undefined)).plan;
}

/**
 * Returns the plan of a new run without starting it, and its identity, which tells whether another run is the same.
 * `cache` is a folder for image sizes. Throws a UserError if the run could not start.
 */
export async function expectedRun(
  options: TrainOptions,
  cache: string | undefined,
): Promise<{ readonly plan: Plan; readonly identity: Matter }> {
  requireStart(options);
  const { plan, data } = await prepare(options, cache);
  const { training, blank } = options;
  const { seed } = training.recipe;
  return { plan, identity: runIdentity({ training, seed, steps: plan.steps, blank, hashes: data.hashes }) };
}

interface Prepared {
  readonly plan: Plan;
  readonly data: TrainingData;
}

/** The phase of a run, which determines the effect of a signal. */
type Phase = 'starting' | 'training' | 'searching';

interface Running extends Prepared {
  readonly stop: StopRequest;
  enter(phase: Phase): void;
}

/** Throws a UserError if a new run would overwrite another one. */
export async function refuseEarlierRun(
  { out, resume }: Pick<TrainOptions, 'out' | 'resume'>,
  store: CheckpointStore,
): Promise<void> {
  const [before] = resume ? [] : await store.steps();
  if (before === undefined) return;
  throw new UserError(
    `${out} holds a run that came to step ${before}: go on with it (--resume), or choose another folder (-o)`,
  );
}

/** Returns the checkpoint to resume from; undefined for a new run. Throws a UserError if it is of another run. */
async function startingPoint(
  options: TrainOptions,
  store: CheckpointStore,
  matter: ReturnType<typeof runIdentity>,
): Promise<Checkpoint | undefined> {
  const { out, note, resume } = options;
  await store.clearUnfinished();
  await refuseEarlierRun(options, store);
  const checkpoint = await store.latest(note);
  if (checkpoint) checkIdentity(checkpoint, matter);
  else requireStart(options);
  if (resume && !checkpoint) note(`${out} has no checkpoint: training begins at the beginning`);
  return checkpoint;
}

function surroundingsOf({ backend, threads, recompute }: TrainOptions, device: string): Surroundings {
  return { crobc: packageVersion(), backend, device, threads: threads ?? null, recompute };
}

/** Returns the part of a run's result that its progress gives. */
export function outcome({ step, best, seconds, last }: Progress): Pick<Trained, 'step' | 'best' | 'seconds' | 'loss'> {
  return { step, best, seconds, loss: last?.loss ?? null };
}

/** Returns the paths of a run's files at its progress. */
export function filesOf(
  out: string,
  store: CheckpointStore,
  { step, best }: Progress,
): Pick<Trained['files'], 'best' | 'last' | 'checkpoint'> {
  return {
    best: best ? join(out, 'best.safetensors') : null,
    last: step > 0 ? join(out, 'last.safetensors') : null,
    checkpoint: step > 0 ? store.pathOf(step) : null,
  };
}

/** Opens the checkpoints of a run, whose weights record the model, the vocabulary and the recipe. */
function openStore(
  { training, source, out, note }: TrainOptions,
  data: TrainingData,
  identity: Matter,
): CheckpointStore {
  const record = whileAt('recording the model', () => runRecord({ training, source, data, identity }));
  if (!record)
    note(
      `the sources of ${training.inference.name} without its recipe give another model: its weights will need the .crob file`,
    );
  return new CheckpointStore(out, record ? recordMetadata(record) : {});
}

/** Prepares a run up to its first step: finds the checkpoint, loads the state and opens the back end. */
async function openRun(options: TrainOptions, { plan, data }: Prepared) {
  const { training, out, note, blank } = options;
  const { recipe } = training;
  const { seed } = recipe;
  const matter = runIdentity({ training, seed, steps: plan.steps, blank, hashes: data.hashes });
  const store = openStore(options, data, matter);
  const checkpoint = await startingPoint(options, store, matter);
  const from = checkpoint?.progress ?? beginning;

  const { precision, half, steps } = await plannedStep(options);
  await checkMemory(options, steps, half);
  const states = statesOf(steps);
  const stored = storedTensors(training, states);
  const stateOf = async (at: Checkpoint | undefined) => {
    if (at) return withAccumulators(await store.load(at, stored), states);
    const { weightsFile } = options;
    const { weights, parts, knownMaps } = training;
    return initialState({ weights, parts, knownMaps, state: states, seed, weightsFile, inits: recipe.inits });
  };
  const inits = checkpoint ? undefined : await initsOf(options);
  for (const line of inits ? shownInits(inits) : []) note(line);
  const state = await stateOf(checkpoint);
  if (checkpoint) await store.expose(from);

  const opening: BackendOptions = {
    backend: options.backend,
    model: recipe.model,
    steps,
    inference: training.inference,
    seed,
    device: options.device,
    threads: options.threads,
    tf32: precision !== 'f32',
    folder: out,
  };
  const backend = await during('opening the training step', () => openBackend(opening, state));
  if (backend.note) note(backend.note);
  const surroundings = surroundingsOf(options, backend.device);
  const changed = checkpoint && changedSurroundings(checkpoint, surroundings);
  if (changed) note(changed);
  return { store, from, opening, backend, stateOf, stored, inits, identity: { ...matter, surroundings } };
}

async function run(options: TrainOptions, { plan, data, stop, enter }: Running): Promise<Trained> {
  const { training, out, note, blank, onBad } = options;
  const { recipe } = training;
  const { seed } = recipe;
  const { store, from, opening, backend, stateOf, stored, inits, identity } = await openRun(options, { plan, data });
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
      decodeThreads: options.decodeThreads,
      pool: backend.feedArrays,
      report: note,
    });
  const metrics = await openMetricsLog(join(out, 'metrics.jsonl'), from);
  const eventsDir = join(out, 'events');
  const events = await openEventFile(eventsDir, from.step > 0 ? { resumedAt: from.step + 1 } : {});
  const progress = startRunProgress(plan, recipe.metric, from);
  enter('training');
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
          text: data.text,
          protocol: recipe.protocol,
          metric: recipe.metric,
          blank,
          onBad,
          decodeThreads: options.decodeThreads,
          stop,
          events,
          report: note,
          onSample: (done) => progress.evaluating(done, data.val!.samples.length),
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
      onStep: (step, { loss }, rate, speed) => progress.step(step, loss, rate, speed),
      onEvaluation: (_step, { score }) => progress.evaluated(score),
    });
    return {
      ...outcome(result.progress),
      model: recipe.model,
      recipe: recipe.name,
      device: backend.device,
      end: result.end,
      steps: plan.steps,
      metric: recipe.metric,
      inits: inits ?? null,
      files: { ...filesOf(out, store, result.progress), metrics: metrics.path, events: eventsDir },
      tokenizer: data.text ? vocabularyName(data.text.tokenizer.source) : null,
    };
  } catch (error) {
    if (!(error instanceof NonFiniteStep)) throw error;
    progress.finish();
    enter('searching');
    throw await traceNonFinite(error, {
      training,
      backend,
      opening,
      store,
      stateOf,
      batches,
      learningRate,
      stopped: () => stop.signal !== undefined,
      place: options.place,
      note,
    });
  } finally {
    progress.finish();
    await metrics.close();
    await events.close();
    await backend.release();
  }
}
