import { join } from 'node:path';
import type { Metric } from '../evaluation/bootstrap.ts';
import { compareSeeds, type OverSeeds, type SeededDifference } from '../evaluation/compare-seeds.ts';
import { readReport } from '../evaluation/report.ts';
import { UserError } from '../files/user-error.ts';
import { readMetrics, type StepLine } from './metrics-lines.ts';
import type { FinishedRun } from './run-experiment.ts';
import type { EvaluationSettings } from './run-record.ts';

/** One training of a model, and its evaluation. */
export interface ComparedRun {
  readonly seed: number;
  readonly folder: string;
  /** Path of the report. */
  readonly report: string;
  /** Path of the weights that were evaluated. */
  readonly weights: string;
  readonly step: number;
  /** Of the training, then of the evaluation. */
  readonly seconds: readonly [training: number, evaluation: number];
  /** The steps and evaluations of its training. */
  readonly lines: readonly StepLine[];
}

/** A model of an experiment, with its results. */
export interface ComparedModel {
  readonly label: string;
  readonly file: string;
  readonly model: string;
  readonly recipe: string;
  readonly parameters: number;
  /** Of one sample at the sizes of its recipe. */
  readonly flops: number;
  readonly steps: number;
  readonly values: Readonly<Record<Metric, OverSeeds>>;
  /** Differences from the baseline; undefined for the baseline itself. */
  readonly differences: Readonly<Record<Metric, SeededDifference>> | undefined;
  readonly runs: readonly ComparedRun[];
}

/** The result of an experiment. */
export interface ExperimentComparison {
  readonly seeds: readonly number[];
  readonly baseline: number;
  readonly evaluation: EvaluationSettings;
  /** Number of evaluated samples. */
  readonly samples: number;
  readonly models: readonly ComparedModel[];
}

/** Seed of the resampling, as by default in `crobc eval --compare`. */
const resampling = 0;

/** Reads the reports of finished runs and compares their models, which are in the order of the first seed's runs. */
export async function comparisonOf(
  runs: readonly FinishedRun[],
  baseline: number,
  evaluation: EvaluationSettings,
): Promise<ExperimentComparison> {
  const models = [...new Set(runs.map(({ model }) => model))];
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  const seeded = [];
  for (const model of models) {
    const reports = [];
    for (const run of runs) {
      if (run.model !== model) continue;
      const path = reportPath(run);
      const report = await readReport(path);
      if (report.split !== evaluation.split || report.protocol !== evaluation.protocol || report.at !== evaluation.at)
        throw new UserError(`${path} is of another evaluation than ${join(run.folder, 'run.json')}: delete the latter`);
      reports.push(report);
    }
    seeded.push({ label: model.label, reports });
  }
  const compared = compareSeeds(seeded, baseline, resampling);
  const all: ComparedModel[] = [];
  for (const [i, { label, file, model, recipe, parameters, flops, plan }] of models.entries()) {
    const { values, differences } = compared[i]!;
    const own = runs.filter((run) => run.model === models[i]);
    const read: ComparedRun[] = [];
    for (const run of own) read.push(await comparedRun(run));
    all.push({ label, file, model, recipe, parameters, flops, steps: plan.steps, values, differences, runs: read });
  }
  return { seeds, baseline, evaluation, samples: seeded[0]?.reports[0]?.each.length ?? 0, models: all };
}

function reportPath({ folder, evaluated }: FinishedRun): string {
  return join(folder, evaluated.report);
}

async function comparedRun(run: FinishedRun): Promise<ComparedRun> {
  const { seed, folder, trained, evaluated } = run;
  return {
    seed,
    folder,
    report: reportPath(run),
    weights: join(folder, trained.weights),
    step: trained.step,
    seconds: [trained.seconds, evaluated.seconds],
    lines: await readMetrics(join(folder, 'metrics.jsonl')),
  };
}
