import { basename } from 'node:path';
import { UserError } from '../files/user-error.ts';
import { type Bounds, byMetric, type Metric, middle, resample, valuesOf } from './bootstrap.ts';
import type { ComparedReport } from './report.ts';

/** Difference of a metric (a fraction of 1), with the bounds of the middle 95 % of its bootstrap distribution. */
export interface Difference extends Bounds {
  readonly difference: number;
}

export interface Compared {
  readonly report: ComparedReport;
  readonly values: Readonly<Record<Metric, number>>;
  /** Differences from the first report; undefined for the first report itself. */
  readonly differences: Readonly<Record<Metric, Difference>> | undefined;
}

/**
 * Compares evaluations of the same samples under the same protocol with the first one. The bounds are from a paired
 * bootstrap: it draws images with replacement, the same for every report, each with all its phrases, since phrases
 * about one image are not independent. Deterministic in the seed. Throws a UserError if the reports do not have the
 * same samples and protocol.
 */
export function compareReports(reports: readonly ComparedReport[], names: readonly string[], seed: number): Compared[] {
  const [first] = reports;
  if (!first) throw new Error('bug in crobc: nothing to compare');
  for (const [i, report] of reports.entries()) {
    const fault = mismatch(first, report);
    if (fault !== undefined) throw new UserError(`${names[0]} and ${names[i]} do not compare: ${fault}`);
  }
  const all = reports.map(valuesOf);
  const resampled = resample(reports, seed);
  return reports.map((report, i) => ({
    report,
    values: all[i]!,
    differences:
      i === 0
        ? undefined
        : byMetric((metric) => ({
            difference: all[i]![metric] - all[0]![metric],
            ...middle(resampled.map((one) => one[i]![metric] - one[0]![metric])),
          })),
  }));
}

/** Returns why two evaluations cannot be compared sample by sample; undefined if they can. */
export function mismatch(a: ComparedReport, b: ComparedReport): string | undefined {
  if (a.protocol !== b.protocol) return `their protocols are ${a.protocol} and ${b.protocol}`;
  if (a.at !== b.at) return `their masks are compared at the ${a.at} and the ${b.at} size`;
  if (a.each.length !== b.each.length) return `they have ${a.each.length} and ${b.each.length} samples`;
  for (const [i, x] of a.each.entries()) {
    const y = b.each[i]!;
    if (basename(x.file) !== basename(y.file) || x.line !== y.line || x.phrase !== y.phrase)
      return `sample ${i + 1} is ${x.file}:${x.line} in one and ${y.file}:${y.line} in the other`;
  }
  return undefined;
}
