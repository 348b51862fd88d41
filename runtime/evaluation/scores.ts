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
}

/** Computes scores. Sums are in the order of the samples, so that scores do not depend on the batch size. */
export function scoresOf(results: readonly SampleResult[], protocol: Protocol): Scores {
  let [intersections, unions, sum] = [0, 0, 0];
  const reached = thresholds.map(() => 0);
  for (const { iou, intersection, union } of results) {
    intersections += intersection;
    unions += union;
    sum += iou;
    for (const [i, threshold] of thresholds.entries()) {
      if (protocol.reaches(iou, Number(threshold))) reached[i]!++;
    }
  }
  const samples = results.length;
  return {
    samples,
    oIoU: intersections / unions,
    mIoU: sum / samples,
    precision: Object.fromEntries(thresholds.map((t, i) => [t, reached[i]! / samples])) as Record<Threshold, number>,
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

/** Returns the number of pixels in both masks, and in at least one. */
export function overlap(prediction: Uint8Array, truth: Uint8Array): { intersection: number; union: number } {
  if (prediction.length !== truth.length)
    throw new Error(`bug in crobc: masks of ${prediction.length} and ${truth.length} pixels`);
  let [intersection, union] = [0, 0];
  for (let i = 0; i < truth.length; i++) {
    const a = prediction[i] !== 0;
    const b = truth[i] !== 0;
    if (a && b) intersection++;
    if (a || b) union++;
  }
  return { intersection, union };
}
