import { philoxFill } from '../tensors/philox.ts';
import { type Protocol, type ProtocolName, protocols } from './protocols.ts';
import { thresholds } from './scores.ts';

export const metrics = ['oIoU', 'mIoU', ...thresholds.map((t) => `Pr@${t}` as const)] as const;
export type Metric = (typeof metrics)[number];

/** The middle 95 % of a bootstrap distribution. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/** What the bootstrap reads of a sample. */
export interface ResampledSample {
  readonly image: string;
  readonly iou: number | null;
  readonly intersection: number;
  readonly union: number;
  readonly target: boolean;
}

/** An evaluation whose images are drawn. */
export interface Resampled {
  readonly protocol: ProtocolName;
  readonly each: readonly ResampledSample[];
}

const RESAMPLES = 2000;
/** Separates these draws from others with the same seed: 'boot'. */
const STREAM = 0x626f6f74;
/**
 * Sums over a group of samples: intersections, unions, IoUs, samples, samples that count for Pr@X, and for each threshold
 * those that reach it.
 */
const COLUMNS = 5 + thresholds.length;

/**
 * Returns the 95 % bounds of each metric: images are drawn with replacement, each with all its phrases, since phrases
 * about one image are not independent. Deterministic in the seed.
 */
export function bounds(evaluation: Resampled, seed: number): Readonly<Record<Metric, Bounds>> {
  const drawn = resample([evaluation], seed).map(([values]) => values);
  return byMetric((metric) => middle(drawn.map((values) => values?.[metric] ?? Number.NaN)));
}

/** The values of each metric. */
export function valuesOf(evaluation: Resampled): Readonly<Record<Metric, number>> {
  return values(total(sumsByImage(evaluation)), protocols[evaluation.protocol]);
}

/** Returns the metrics of each evaluation, of the same images, for each resampling. */
export function resample(evaluations: readonly Resampled[], seed: number): Readonly<Record<Metric, number>>[][] {
  const tables = evaluations.map((one) => ({ table: sumsByImage(one), protocol: protocols[one.protocol] }));
  const images = (tables[0]?.table.length ?? 0) / COLUMNS;
  const words = new Uint32Array(images);
  return Array.from({ length: RESAMPLES }, (_, round) => {
    philoxFill(words, { key: [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0], stream: [round, STREAM] });
    return tables.map(({ table, protocol }) => {
      const sums = new Float64Array(COLUMNS);
      for (let i = 0; i < images; i++) {
        const row = Math.floor((words[i]! / 2 ** 32) * images) * COLUMNS;
        for (let c = 0; c < COLUMNS; c++) sums[c]! += table[row + c]!;
      }
      return values(sums, protocol);
    });
  });
}

/** The middle 95 % of values; NaN has no order, and if one value is NaN, so are the bounds. */
export function middle(drawn: readonly number[]): Bounds {
  if (drawn.some(Number.isNaN)) return { low: Number.NaN, high: Number.NaN };
  const sorted = Float64Array.from(drawn).sort();
  const quantile = (q: number) => sorted[Math.round(q * (sorted.length - 1))]!;
  return { low: quantile(0.025), high: quantile(0.975) };
}

export function byMetric<T>(of: (metric: Metric) => T): Readonly<Record<Metric, T>> {
  return Object.fromEntries(metrics.map((metric) => [metric, of(metric)])) as Record<Metric, T>;
}

/** Returns the sums of each image, [images × COLUMNS], in the order in which images first occur. */
function sumsByImage({ each, protocol: name }: Resampled): Float64Array {
  const protocol: Protocol = protocols[name];
  const rows = new Map<string, number>();
  for (const { image } of each) if (!rows.has(image)) rows.set(image, rows.size);
  const table = new Float64Array(rows.size * COLUMNS);
  for (const { image, iou, intersection, union, target } of each) {
    const at = rows.get(image)! * COLUMNS;
    const exact = iou ?? Number.NaN;
    const counted = protocol.precisionOf === 'all' || target;
    const reached = thresholds.map((t) => (counted && protocol.reaches(exact, Number(t)) ? 1 : 0));
    for (const [c, v] of [intersection, union, exact, 1, counted ? 1 : 0, ...reached].entries()) table[at + c]! += v;
  }
  return table;
}

function total(table: Float64Array): Float64Array {
  const sums = new Float64Array(COLUMNS);
  for (let i = 0; i < table.length; i++) sums[i % COLUMNS]! += table[i]!;
  return sums;
}

function values(sums: Float64Array, protocol: Protocol): Readonly<Record<Metric, number>> {
  const [intersection, union, iou, samples, counted, ...reached] = sums;
  const ratios = [protocol.overall(intersection!, union!), iou! / samples!, ...reached.map((n) => n / counted!)];
  return Object.fromEntries(metrics.map((metric, i) => [metric, ratios[i]!])) as Record<Metric, number>;
}
