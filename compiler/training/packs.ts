import type { TrainedWeight } from './compile-training.ts';

/** What an update depends on beside the values: weights that agree in it can be updated as one. */
export type Rates = Pick<TrainedWeight, 'lrFactor' | 'weightDecay'>;

/** Weights that lie one after another in one piece of memory, and are updated as one. */
export interface Pack {
  /** `0`, `1`, …: the name of its state, in place of a path. */
  readonly id: string;
  readonly weights: readonly TrainedWeight[];
  readonly rates: Rates;
  /** Elements of all of them. */
  readonly size: number;
}

/**
 * Larger weights are updated each by itself. A model has hundreds of norms and biases, and a dozen operators for each take
 * longer to start than to run; a weight of this size takes longer than that, and its gradient would have to be copied.
 */
const largest = 1 << 16;

/** Vectors of floats: weights of whole ones come first, so that they lie where those can be loaded at once. */
const vector = 16;

/** Small weights with the same rates, where there are several. */
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
