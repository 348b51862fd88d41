import type { TrainedWeight } from './compile-training.ts';

/** The settings of an update besides the values; weights with equal settings can be updated together. */
export type Rates = Pick<TrainedWeight, 'lrFactor' | 'weightDecay'>;

/** Weights that are stored consecutively in one piece of memory. */
export interface Together {
  /** Identifies its state, in place of a path. */
  readonly id: string;
  readonly weights: readonly TrainedWeight[];
  /** The number of elements of all its weights. */
  readonly size: number;
}

/** Weights that are updated together. */
export interface Pack extends Together {
  readonly rates: Rates;
  /** The same weights by groups whose gradients are computed one after another. */
  readonly groups: readonly Together[];
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
    const parts = [group.filter(whole), group.filter((weight) => !whole(weight))];
    const groups = parts.flatMap(byLayer).map((weights, k) => together(`${i}.${k}`, weights));
    const { lrFactor, weightDecay } = group[0]!;
    const all = groups.flatMap(({ weights }) => weights);
    return { ...together(String(i), all), rates: { lrFactor, weightDecay }, groups };
  });
}

/**
 * Divides weights into groups. The gradients of a group are concatenated once the last one is there, and until then, what
 * they are computed from is kept. So a group has consecutive weights of one layer: of one element of the innermost list.
 */
function byLayer(weights: readonly TrainedWeight[]): readonly (readonly TrainedWeight[])[] {
  const groups: TrainedWeight[][] = [];
  let at: string | undefined;
  for (const weight of weights) {
    const [layer = ''] = /^.*\.\d+(?=\.)/.exec(weight.path) ?? [];
    if (layer === at) groups.at(-1)!.push(weight);
    else groups.push([weight]);
    at = layer;
  }
  return groups;
}

function together(id: string, weights: readonly TrainedWeight[]): Together {
  return { id, weights, size: weights.reduce((total, weight) => total + sizeOf(weight), 0) };
}

function sizeOf({ shape }: TrainedWeight): number {
  return shape.reduce((product, size) => product * size, 1);
}
