import type { TrainedWeight } from './compile-training.ts';

/** The settings of an update besides the values; weights with equal settings can be updated together. */
export type Rates = Pick<TrainedWeight, 'lrFactor' | 'weightDecay'>;

/** Weights that are stored consecutively in one piece of memory and updated together. */
export interface Pack {
  /** `0`, `1`, …: identifies its state, in place of a path. */
  readonly id: string;
  readonly weights: readonly TrainedWeight[];
  readonly rates: Rates;
  /** The number of elements of all its weights. */
  readonly size: number;
}

/**
 * Larger weights are updated separately. A model has hundreds of norms and biases, and a dozen operators for each take
 * longer to start than to run; a larger weight takes longer to run, and packing it would copy its gradient.
 */
const largest = 1 << 16;

/**
 * Floats per vector. Weights whose size is a multiple of it come first in a pack, so that they are aligned for vector
 * loads.
 */
const vector = 16;

/** Returns packs of small weights with equal settings; each has at least two weights. */
export function packsOf(weights: readonly TrainedWeight[]): readonly Pack[] {
  const alike = new Map<string, TrainedWeight[]>();
  for (const weight of weights) {
    if (sizeOf(weight) > largest) continue;
    const key = `${weight.lrFactor} ${weight.weightDecay}`;
    alike.set(key, [...(alike.get(key) ?? []), weight]);
  }
  const several = [...alike.values()].filter((group) => group.length > 1);
  return several.map((group, i) => {
    const whole = (weight: TrainedWeight) => sizeOf(weight) % vector === 0;
    const ordered = [...group.filter(whole), ...group.filter((weight) => !whole(weight))];
    const { lrFactor, weightDecay } = group[0]!;
    const size = ordered.reduce((total, weight) => total + sizeOf(weight), 0);
    return { id: String(i), weights: ordered, rates: { lrFactor, weightDecay }, size };
  });
}

function sizeOf({ shape }: TrainedWeight): number {
  return shape.reduce((product, size) => product * size, 1);
}
