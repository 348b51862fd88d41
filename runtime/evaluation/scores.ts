import type { Sample } from '../data/sample.ts';
import type { Protocol } from './protocols.ts';

export const thresholds = ['0.5', '0.6', '0.7', '0.8', '0.9'] as const;
export type Threshold = (typeof thresholds)[number];

/** The result of one sample; areas are in pixels. */
export interface SampleResult {
  readonly sample: Sample;
  readonly iou: number;
  readonly intersection: number;
  readonly union: number;
  /** Area of the prediction. */
  readonly predicted: number;
}

/** Scores of a group of samples as fractions of 1; NaN after a division by zero. */
export interface Scores {
  readonly samples: number;
  /** Sum of intersections divided by sum of unions: large objects weigh more. */
  readonly oIoU: number;
  /** Mean of the IoUs of the samples. */
  readonly mIoU: number;
  /** Fraction of the samples whose IoU reaches the threshold: Pr@X. */
  readonly precision: Readonly<Record<Threshold, number>>;
  /** Only if some phrases describe nothing in their image. */
  readonly noTarget?: NoTargetScores;
}

/**
 * How a model deals with phrases without a target, as GRES measures it, whatever the protocol is. A model says that there
 * is no target by a prediction without a pixel.
 */
export interface NoTargetScores {
  /** Number of phrases without a target. */
  readonly samples: number;
  /** Mean of the IoUs of all samples, where one without a target has 1 if nothing is predicted, and else 0. */
  readonly gIoU: number;
  /** Sum of intersections divided by sum of unions. */
  readonly cIoU: number;
  /** Fraction of the phrases without a target for which nothing is predicted. */
  readonly nAcc: number;
  /** Fraction of the phrases with a target for which something is predicted; NaN if there is none. */
  readonly tAcc: number;
}

/** The metrics of phrases without a target, and their names in tables. */
export const noTargetMetrics = ['gIoU', 'cIoU', 'nAcc', 'tAcc'] as const;
export const noTargetNames = { gIoU: 'gIoU', cIoU: 'cIoU', nAcc: 'N-acc', tAcc: 'T-acc' } as const;

export function hasTarget({ mask }: Sample): boolean {
  return mask.kind !== 'nothing';
}

/** Computes scores. Sums are in the order of the samples, so that scores do not depend on the batch size. */
export function scoresOf(results: readonly SampleResult[], protocol: Protocol): Scores {
  let [intersections, unions, sum] = [0, 0, 0];
  const reached = thresholds.map(() => 0);
  let counted = 0;
  for (const { sample, iou, intersection, union } of results) {
    intersections += intersection;
    unions += union;
    sum += iou;
    if (protocol.precisionOf === 'targets' && !hasTarget(sample)) continue;
    counted++;
    for (const [i, threshold] of thresholds.entries()) {
      if (protocol.reaches(iou, Number(threshold))) reached[i]!++;
    }
  }
  const samples = results.length;
  const noTarget = noTargetScores(results);
  return {
    samples,
    oIoU: protocol.overall(intersections, unions),
    mIoU: sum / samples,
    precision: byThreshold((_, i) => reached[i]! / counted),
    ...(noTarget ? { noTarget } : {}),
  };
}

function byThreshold(value: (threshold: Threshold, index: number) => number): Readonly<Record<Threshold, number>> {
  return Object.fromEntries(thresholds.map((t, i) => [t, value(t, i)])) as Record<Threshold, number>;
}

/** Undefined if every phrase has a target. */
function noTargetScores(results: readonly SampleResult[]): NoTargetScores | undefined {
  let [without, rejected, found, intersections, unions, sum] = [0, 0, 0, 0, 0, 0];
  for (const { sample, intersection, union, predicted } of results) {
    intersections += intersection;
    unions += union;
    if (hasTarget(sample)) {
      if (predicted > 0) found++;
      sum += union === 0 ? 0 : intersection / union;
    } else {
      without++;
      if (predicted === 0) {
        rejected++;
        sum += 1;
      }
    }
  }
  if (without === 0) return undefined;
  return {
    samples: without,
    gIoU: sum / results.length,
    cIoU: intersections / unions,
    nAcc: rejected / without,
    tAcc: found / (results.length - without),
  };
}

/** Unweighted means of the scores of classes: each class has the same weight, however many samples it has. */
export interface ClassMeans {
  readonly classes: number;
  readonly oIoU: number;
  readonly mIoU: number;
  readonly precision: Readonly<Record<Threshold, number>>;
}

/** Sums are in the order of the names. Undefined if there are no classes. */
export function classMeans(byCategory: Readonly<Record<string, Scores>>): ClassMeans | undefined {
  const all = Object.entries(byCategory)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, scores]) => scores);
  if (all.length === 0) return undefined;
  const mean = (of: (scores: Scores) => number) => all.reduce((sum, scores) => sum + of(scores), 0) / all.length;
  return {
    classes: all.length,
    oIoU: mean(({ oIoU }) => oIoU),
    mIoU: mean(({ mIoU }) => mIoU),
    precision: byThreshold((t) => mean(({ precision }) => precision[t])),
  };
}

/** Returns the scores of each group by name, the largest group first; samples without a name are left out. */
export function scoresBy(
  results: readonly SampleResult[],
  protocol: Protocol,
  name: (sample: Sample) => string | undefined,
): Readonly<Record<string, Scores>> {
  const groups = new Map<string, SampleResult[]>();
  for (const result of results) {
    const group = name(result.sample);
    if (group === undefined) continue;
    const held = groups.get(group);
    if (held) held.push(result);
    else groups.set(group, [result]);
  }
  const sorted = [...groups].sort(([a, { length: n }], [b, { length: m }]) => m - n || (a < b ? -1 : 1));
  // Names are from files: an object without a prototype also accepts `__proto__` as a key.
  const scores: Record<string, Scores> = Object.create(null);
  for (const [group, held] of sorted) scores[group] = scoresOf(held, protocol);
  return scores;
}

/** Returns the number of pixels in both masks, in at least one, and in the prediction. */
export function overlap(
  prediction: Uint8Array,
  truth: Uint8Array,
): { intersection: number; union: number; predicted: number } {
  if (prediction.length !== truth.length)
    throw new Error(`bug in crobc: masks of ${prediction.length} and ${truth.length} pixels`);
  let [intersection, union, predicted] = [0, 0, 0];
  for (let i = 0; i < truth.length; i++) {
    const a = prediction[i] !== 0;
    const b = truth[i] !== 0;
    if (a) predicted++;
    if (a && b) intersection++;
    if (a || b) union++;
  }
  return { intersection, union, predicted };
}
