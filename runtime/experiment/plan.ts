import { join } from 'node:path';
import { openDataset } from '../data/dataset.ts';
import { UserError } from '../files/user-error.ts';
import { differenceOf, type Matter } from '../training/run-identity.ts';
import type { ExperimentRecord } from './experiment-record.ts';
import { trainingSeconds } from './pace.ts';
import type { PlannedModel, SharedOptions } from './planned-model.ts';
import {
  type EvaluatedRun,
  type EvaluationSettings,
  type RunRecord,
  readRunRecord,
  sameEvaluation,
  type TrainedRun,
} from './run-record.ts';

/** What is left to do for a run. */
export type RunState =
  | { readonly kind: 'new' }
  /** It was of another source, recipe or data, and is done again. */
  | { readonly kind: 'changed'; readonly why: string }
  | { readonly kind: 'begun' }
  /** Only the evaluation is missing, or was of another split or under another protocol. */
  | { readonly kind: 'trained'; readonly trained: TrainedRun }
  | { readonly kind: 'done'; readonly trained: TrainedRun; readonly evaluated: EvaluatedRun };

/** A model with a seed. */
export interface PlannedRun {
  readonly model: PlannedModel;
  readonly seed: number;
  readonly folder: string;
  readonly identity: Matter;
  readonly state: RunState;
  /** Estimated seconds of a whole run; undefined if nothing like it was measured. */
  readonly seconds: number | undefined;
}

/** Returns the identity that the run of a model has with a seed. */
function identityOf({ identity }: PlannedModel, seed: number): Matter {
  return { ...identity, seed, recipe: { ...identity.recipe, seed } };
}

/** What an experiment compares and how, after its models are planned. */
export interface PlanOptions {
  readonly models: readonly PlannedModel[];
  readonly seeds: readonly number[];
  readonly out: string;
  readonly evaluation: EvaluationSettings;
  readonly record: ExperimentRecord;
  /** Whether runs of other sources, recipes or data are done again. */
  readonly redo: boolean;
}

/**
 * Returns the runs in their order: all models with the first seed, then with the next one. Throws a UserError if a run
 * in the folder was of something else, unless `redo`.
 */
export async function planRuns(options: PlanOptions): Promise<PlannedRun[]> {
  const { models, seeds, out, evaluation, redo } = options;
  const runs: Omit<PlannedRun, 'seconds'>[] = [];
  for (const seed of seeds) {
    for (const model of models) {
      const folder = join(out, model.folder, `seed-${seed}`);
      const identity = identityOf(model, seed);
      const record = await readRunRecord(folder);
      const changed = record && differenceOf(record.identity, identity);
      if (changed !== undefined && !redo)
        throw new UserError(
          `${folder} has ${model.label} with seed ${seed} from before: ${changed}; --redo trains it again, or put that back, or choose another -o`,
        );
      const state = changed === undefined ? stateOf(record, evaluation) : ({ kind: 'changed', why: changed } as const);
      runs.push({ model, seed, folder, identity, state });
    }
  }
  return runs.map((run) => ({ ...run, seconds: estimate(run, runs, options.record) }));
}

function stateOf(record: RunRecord | undefined, evaluation: EvaluationSettings): RunState {
  if (!record) return { kind: 'new' };
  const { trained, evaluated } = record;
  if (!trained) return { kind: 'begun' };
  if (!evaluated || !sameEvaluation(evaluated.settings, evaluation)) return { kind: 'trained', trained };
  return { kind: 'done', trained, evaluated };
}

type Estimated = Omit<PlannedRun, 'seconds'>;

/**
 * Estimates the seconds of a run: by those of the same model with other seeds, else by its measured pace, else by other
 * models and the FLOP of the training.
 */
function estimate(run: Estimated, runs: readonly Estimated[], { paces }: ExperimentRecord): number | undefined {
  const own = mean(runs.flatMap((one) => (one.model === run.model ? secondsOf(one) : [])));
  if (own !== undefined) return own;
  const pace = paces[run.identity.hashes.loss];
  if (pace) return trainingSeconds(pace, run.model.plan);
  const perFlop = mean(runs.flatMap((one) => secondsOf(one).map((seconds) => seconds / work(one.model))));
  return perFlop === undefined ? undefined : perFlop * work(run.model);
}

function secondsOf({ state }: Estimated): number[] {
  return state.kind === 'done' ? [state.trained.seconds + state.evaluated.seconds] : [];
}

function work({ flops, plan }: PlannedModel): number {
  return flops * plan.steps * plan.perStep;
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Returns the sum of the estimated seconds of what is left to do; undefined if one of them is not known. */
export function secondsLeft(runs: readonly PlannedRun[]): number | undefined {
  let left = 0;
  for (const { state, seconds } of runs) {
    if (state.kind === 'done' || state.kind === 'trained') continue;
    if (seconds === undefined) return undefined;
    left += seconds;
  }
  return left;
}

/** Returns the hash of the phrases of a split. */
export async function samplesOf(
  { data, onBad, onSizeMismatch, colours }: SharedOptions,
  split: string,
  cache: string | undefined,
): Promise<string> {
  const opening = { onBad, onSizeMismatch, colours, report: () => {}, ...(cache === undefined ? {} : { cache }) };
  return (await openDataset(data, split, opening)).hash;
}
