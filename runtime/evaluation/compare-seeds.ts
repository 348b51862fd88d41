import { UserError } from '../files/user-error.ts';
import { philoxFill } from '../tensors/philox.ts';
import { type Bounds, byMetric, type Metric, middle, resample, valuesOf } from './bootstrap.ts';
import { mismatch } from './compare.ts';
import type { ComparedReport } from './report.ts';

/** A metric over the seeds of a model, as fractions of 1. */
export interface OverSeeds {
  readonly mean: number;
  /** The sample standard deviation, with n - 1 in the divisor; undefined for one seed. */
  readonly deviation: number | undefined;
  /** One value for each seed. */
  readonly values: readonly number[];
}

/** The difference of two means over seeds, with the bounds of the middle 95 % of its bootstrap distribution. */
export interface SeededDifference extends Bounds {
  readonly difference: number;
  /**
   * Two-sided p-value of no difference: twice the share of resamples on the other side of 0, at most 1 and never 0. NaN
   * if the difference is.
   */
  readonly p: number;
}

/** A model whose evaluations are compared: one report for each seed. */
export interface SeededModel {
  readonly label: string;
  readonly reports: readonly ComparedReport[];
}

export interface SeededComparison {
  readonly label: string;
  readonly values: Readonly<Record<Metric, OverSeeds>>;
  /** Differences from the baseline; undefined for the baseline itself. */
  readonly differences: Readonly<Record<Metric, SeededDifference>> | undefined;
}

/** Separates these draws from others with the same seed: 'seed'. */
const STREAM = 0x73656564;

/**
 * Compares models by their means over seeds, each with the baseline, which is an index. The bounds are from a paired
 * bootstrap over images and seeds: each resample draws images with replacement, each with all its phrases, and seeds
 * with replacement, the same for all models. With one seed, this is the bootstrap of `compareReports`. Deterministic in
 * `seed`. Throws a UserError if the reports do not have the same samples and protocol.
 */
export function compareSeeds(models: readonly SeededModel[], baseline: number, seed: number): SeededComparison[] {
  const reference = models[baseline];
  const [first] = reference?.reports ?? [];
  if (!reference || !first) throw new Error('bug in crobc: nothing to compare');
  const seeds = reference.reports.length;
  for (const { label, reports } of models) {
    if (reports.length !== seeds)
      throw new Error(`bug in crobc: ${label} has ${reports.length} evaluations and ${reference.label} has ${seeds}`);
    for (const report of reports) {
      const fault = mismatch(first, report);
      if (fault !== undefined) throw new UserError(`${reference.label} and ${label} do not compare: ${fault}`);
    }
  }
  const drawn = resample(
    models.flatMap(({ reports }) => reports),
    seed,
  );
  const seedDraws = drawn.map((_, round) => drawnSeeds(seeds, seed, round));
  /** The mean of a metric over the seeds of each resample. */
  const means = (model: number, metric: Metric) =>
    drawn.map((values, round) => mean(seedDraws[round]!.map((s) => values[model * seeds + s]![metric])));
  const all = models.map(({ reports }) => {
    const each = reports.map(valuesOf);
    return byMetric((metric) => overSeeds(each.map((values) => values[metric])));
  });
  const ofBaseline = byMetric((metric) => means(baseline, metric));
  return models.map(({ label }, i) => ({
    label,
    values: all[i]!,
    differences:
      i === baseline
        ? undefined
        : byMetric((metric) => {
            const differences = means(i, metric).map((value, round) => value - ofBaseline[metric][round]!);
            return {
              difference: all[i]![metric].mean - all[baseline]![metric].mean,
              ...middle(differences),
              p: twoSided(differences),
            };
          }),
  }));
}

/** Returns as many indices of seeds as there are seeds, with replacement. */
function drawnSeeds(seeds: number, seed: number, round: number): readonly number[] {
  const words = new Uint32Array(seeds);
  philoxFill(words, { key: [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0], stream: [round, STREAM] });
  return Array.from(words, (word) => Math.floor((word / 2 ** 32) * seeds));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Returns the mean and the sample standard deviation of the values of each seed. */
export function overSeeds(values: readonly number[]): OverSeeds {
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return {
    mean: middle,
    deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : undefined,
    values,
  };
}

function twoSided(differences: readonly number[]): number {
  if (differences.some(Number.isNaN)) return Number.NaN;
  const above = differences.filter((value) => value >= 0).length;
  const below = differences.filter((value) => value <= 0).length;
  return Math.min(1, (2 * (Math.min(above, below) + 1)) / (differences.length + 1));
}
