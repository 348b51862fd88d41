import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { runEvaluation } from '../evaluation/run-evaluation.ts';
import { makeFolder } from '../files/make-folder.ts';
import { packageVersion } from '../files/package-root.ts';
import { UserError } from '../files/user-error.ts';
import { openTrainedModel } from '../predict/trained-model.ts';
import { duration } from '../process/duration.ts';
import type { StopSignal } from '../process/signals.ts';
import { surroundings } from '../process/surroundings.ts';
import { hidesProgress } from '../process/terminal.ts';
import { type Trained, train } from '../training/train.ts';
import { type PlannedRun, type PlanOptions, planRuns, secondsLeft } from './plan.ts';
import { type CompileModel, type SharedOptions, trainOptions } from './planned-model.ts';
import { type EvaluatedRun, type TrainedRun, writeRunRecord } from './run-record.ts';

export interface ExperimentOptions extends PlanOptions {
  readonly shared: SharedOptions;
  readonly compile: CompileModel;
  /** Number of steps of each training; undefined for those of the recipes. */
  readonly steps: number | undefined;
  /** Settings that all models have in common, as typed; reports name them. */
  readonly settings: readonly string[];
  /** Prints a note of one line. */
  note(line: string): void;
}

/** A run whose training and evaluation are finished. */
export interface FinishedRun extends PlannedRun {
  readonly trained: TrainedRun;
  readonly evaluated: EvaluatedRun;
}

export type ExperimentEnd =
  | { readonly kind: 'done'; readonly runs: readonly FinishedRun[] }
  | { readonly kind: 'stopped'; readonly signal: StopSignal };

/** Images per run of a model in an evaluation, and predictions of each kind on its page, as by `crobc eval`. */
const evaluating = { batch: 8, pictures: 12 } as const;

/** Returns the settings of the recipe that the options of an experiment are. */
export function recipeSettings(steps: number | undefined, seed: number): string[] {
  return [...(steps === undefined ? [] : [`recipe.steps=${steps}`]), `recipe.seed=${seed}`];
}

/**
 * Trains and evaluates what is left of an experiment, one run after the other. What a run has finished is recorded in
 * its folder, so an experiment can be stopped at any time and continued by the same call. Throws a UserError that names
 * the run if one fails.
 */
export async function runExperiment(options: ExperimentOptions): Promise<ExperimentEnd> {
  const runs = await planRuns(options);
  const finished: FinishedRun[] = [];
  for (const [i, run] of runs.entries()) {
    const { state, model, seed } = run;
    if (state.kind === 'done') {
      finished.push({ ...run, trained: state.trained, evaluated: state.evaluated });
      continue;
    }
    options.note(`${i + 1}/${runs.length} ${model.label}, seed ${seed}: ${doing(run)}${await timeLeft(options)}`);
    try {
      const trained = state.kind === 'trained' ? state.trained : await trainRun(run, options);
      if (typeof trained === 'string') return { kind: 'stopped', signal: trained };
      finished.push({ ...run, trained, evaluated: await evaluateRun(run, trained, options) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(`${model.label}, seed ${seed}: ${error.message}`);
    }
  }
  const mixed = mixedSurroundings(finished);
  if (mixed !== undefined) options.note(mixed);
  return { kind: 'done', runs: finished };
}

function doing({ state, model: { plan } }: PlannedRun): string {
  const steps = `${plan.steps.toLocaleString('en')} steps`;
  switch (state.kind) {
    case 'new':
      return `trains ${steps}`;
    case 'changed':
      return `trains ${steps} again, since ${state.why}`;
    case 'begun':
      return `continues its training of ${steps}`;
    case 'trained':
      return 'evaluates';
    case 'done':
      return 'is done';
  }
}

/** The estimated time of all that is left, where progress is shown and something was measured. */
async function timeLeft(options: ExperimentOptions): Promise<string> {
  if (hidesProgress(surroundings().environment)) return '';
  const left = secondsLeft(await planRuns({ ...options, redo: true }));
  return left === undefined || left === 0 ? '' : `; about ${duration(left * 1000)} left for all`;
}

async function trainRun(run: PlannedRun, options: ExperimentOptions): Promise<TrainedRun | StopSignal> {
  const { folder, state, identity, model, seed } = run;
  if (state.kind === 'changed') await rm(folder, { recursive: true, force: true });
  await makeFolder(folder);
  await writeRunRecord(folder, { identity, trained: null, evaluated: null });
  const compiled = options.compile(model, recipeSettings(options.steps, seed));
  const resume = state.kind === 'begun' && existsSync(join(folder, 'checkpoints'));
  const found = await train(trainOptions(compiled, options.shared, { out: folder, resume, note: options.note }));
  if (found.end === 'SIGINT' || found.end === 'SIGTERM') return found.end;
  const trained = trainedRun(found, found.end, options.shared);
  await writeRunRecord(folder, { identity, trained, evaluated: null });
  return trained;
}

/** The best weights are evaluated, or the last ones if nothing was validated. */
function trainedRun(
  { step, seconds, device, best }: Trained,
  end: TrainedRun['end'],
  { backend }: SharedOptions,
): TrainedRun {
  const surroundings = `crobc ${packageVersion()}, ${backend} on ${device}`;
  return { end, step, seconds, surroundings, weights: best ? 'best.safetensors' : 'last.safetensors' };
}

/** Returns a note if runs that are compared were not computed in the same way. */
function mixedSurroundings(runs: readonly FinishedRun[]): string | undefined {
  const all = [...new Set(runs.map(({ trained }) => trained.surroundings))];
  if (all.length < 2) return undefined;
  return `the runs were not all trained in the same way, and may differ by rounding too: ${all.join('; ')}`;
}

async function evaluateRun(
  { folder, identity, model }: PlannedRun,
  trained: TrainedRun,
  { evaluation, shared, settings, note }: ExperimentOptions,
): Promise<EvaluatedRun> {
  const { weightsFile, compiled } = await openTrainedModel(join(folder, trained.weights));
  const { report, files } = await runEvaluation(compiled, {
    ...evaluating,
    data: shared.data,
    split: evaluation.split,
    protocol: evaluation.protocol,
    at: evaluation.at,
    limit: evaluation.limit ?? undefined,
    weightsFile,
    // The weights record their vocabulary and how phrases were truncated.
    tokenizer: undefined,
    truncation: undefined,
    blank: shared.blank,
    device: shared.device,
    dtype: 'f32',
    // As evaluations during the training.
    tf32: model.identity.recipe.precision !== 'f32',
    threads: shared.threads,
    onBad: shared.onBad,
    onSizeMismatch: shared.onSizeMismatch,
    colours: shared.colours,
    seed: 0,
    out: folder,
    file: model.file,
    settings,
    note,
  });
  const evaluated = { settings: evaluation, report: basename(files.json), seconds: report.seconds };
  await writeRunRecord(folder, { identity, trained, evaluated });
  return evaluated;
}
