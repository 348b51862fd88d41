import { basename } from 'node:path';
import { UserError } from '../files/user-error.ts';
import { philoxFill } from '../tensors/philox.ts';
import { protocols } from './protocols.ts';
import type { ComparedReport } from './report.ts';
import { thresholds } from './scores.ts';

export const metrics = ['oIoU', 'mIoU', ...thresholds.map((t) => `Pr@${t}` as const)] as const;
export type Metric = (typeof metrics)[number];

/** Difference of a metric (a fraction of 1), with the bounds of the middle 95 % of its bootstrap distribution. */
export interface Difference {
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

export interface Compared {
  readonly report: ComparedReport;
  readonly values: Readonly<Record<Metric, number>>;
  /** Differences from the first report; undefined for the first report itself. */
  readonly differences: Readonly<Record<Metric, Difference>> | undefined;
}

const RESAMPLES = 2000;
/** Separates these draws from others with the same seed: 'boot'. */
const STREAM = 0x626f6f74;
/**
 * Sums over a group of samples: intersections, unions, IoUs, samples, and for each threshold the samples that reach it.
 */
const COLUMNS = 4 + thresholds.length;

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
  const sums = reports.map(sumsByImage);
  const all = sums.map((table) => values(total(table)));
  const resampled = resample(sums, seed);
  return reports.map((report, i) => ({
    report,
    values: all[i]!,
    differences:
      i === 0
        ? undefined
        : byMetric((metric) => {
            const drawn = resampled.map((one) => one[i]![metric] - one[0]![metric]);
            // NaN has no order; if one difference is NaN, so are the bounds.
            const sorted = Float64Array.from(drawn).sort();
            const quantile = (q: number) => sorted[Math.round(q * (sorted.length - 1))]!;
            const broken = drawn.some(Number.isNaN);
            return {
              difference: all[i]![metric] - all[0]![metric],
              low: broken ? Number.NaN : quantile(0.025),
              high: broken ? Number.NaN : quantile(0.975),
            };
          }),
  }));
}

function byMetric<T>(of: (metric: Metric) => T): Record<Metric, T> {
  return Object.fromEntries(metrics.map((metric) => [metric, of(metric)])) as Record<Metric, T>;
}

function mismatch(a: ComparedReport, b: ComparedReport): string | undefined {
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

/** Returns the sums of each image, [images × COLUMNS], in the order in which images first occur. */
function sumsByImage({ each, protocol }: ComparedReport): Float64Array {
  const rows = new Map<string, number>();
  for (const { image } of each) if (!rows.has(image)) rows.set(image, rows.size);
  const table = new Float64Array(rows.size * COLUMNS);
  for (const { image, iou, intersection, union } of each) {
    const at = rows.get(image)! * COLUMNS;
    const exact = iou ?? Number.NaN;
    const reached = thresholds.map((t) => (protocols[protocol].reaches(exact, Number(t)) ? 1 : 0));
    for (const [c, v] of [intersection, union, exact, 1, ...reached].entries()) table[at + c]! += v;
  }
  return table;
}

function total(table: Float64Array): Float64Array {
  const sums = new Float64Array(COLUMNS);
  for (let i = 0; i < table.length; i++) sums[i % COLUMNS]! += table[i]!;
  return sums;
}

function values([intersection, union, iou, samples, ...reached]: Iterable<number> & Float64Array) {
  const ratios = [intersection! / union!, iou! / samples!, ...reached.map((n) => n / samples!)];
  return Object.fromEntries(metrics.map((metric, i) => [metric, ratios[i]!])) as Record<Metric, number>;
}

/** Returns the metrics of each report for each resampling. */
function resample(tables: readonly Float64Array[], seed: number): Record<Metric, number>[][] {
  const images = tables[0]!.length / COLUMNS;
  const words = new Uint32Array(images);
  return Array.from({ length: RESAMPLES }, (_, round) => {
    philoxFill(words, { key: [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0], stream: [round, STREAM] });
    return tables.map((table) => {
      const sums = new Float64Array(COLUMNS);
      for (let i = 0; i < images; i++) {
        const row = Math.floor((words[i]! / 2 ** 32) * images) * COLUMNS;
        for (let c = 0; c < COLUMNS; c++) sums[c]! += table[row + c]!;
      }
      return values(sums);
    });
  });
}
