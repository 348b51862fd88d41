/** A way to compute the same step: in micro-batches, with the activations of some modules recomputed. */
export interface StepChoice {
  /** Samples of a micro-batch. */
  readonly batch: number;
  readonly accumulate: number;
  readonly recompute: readonly string[];
}

/** A choice that fits, with the bytes that it needs. */
export interface FittingStep extends StepChoice {
  readonly needed: number;
}

export interface FitQuestion {
  /** The step that does not fit. */
  readonly asked: StepChoice;
  /** Modules that may be recomputed besides those that are, the most rewarding first. */
  readonly modules: readonly string[];
  /** Bytes that there are. */
  readonly available: number;
  /** Bytes that a step needs; undefined if there is none of this kind. */
  estimate(choice: StepChoice): Promise<number | undefined>;
}

/**
 * Returns what fits of a step that does not: the largest micro-batch without further recomputation; and if recomputation
 * allows a larger one, that one with as few modules recomputed as it takes. Memory is taken to grow with the micro-batch
 * and to shrink with recomputation, so a bisection finds them, over the divisors of the samples of a step, of which there
 * are few. What is returned has been estimated itself.
 */
export async function fittingSteps({ asked, modules, available, estimate }: FitQuestion): Promise<FittingStep[]> {
  const samples = asked.batch * asked.accumulate;
  const known = new Map<string, FittingStep | undefined>();
  const fitting = async (batch: number, further: number): Promise<FittingStep | undefined> => {
    const key = `${batch} ${further}`;
    if (!known.has(key)) {
      const recompute = [...asked.recompute, ...modules.slice(0, further)];
      const choice = { batch, accumulate: samples / batch, recompute };
      const needed = await estimate(choice);
      known.set(key, needed !== undefined && needed <= available ? { ...choice, needed } : undefined);
    }
    return known.get(key);
  };
  const divisors = divisorsOf(samples);
  const largest = async (further: number, sizes: readonly number[]) =>
    lastThat(sizes, async (batch) => fitting(batch, further));

  const plain = await largest(
    0,
    divisors.filter((size) => size < asked.batch),
  );
  const found = plain ? [plain] : [];
  if (modules.length === 0) return found;
  const larger = divisors.filter((size) => size <= asked.batch && size > (plain?.batch ?? 0));
  const most = await largest(modules.length, larger);
  if (!most) return found;
  const fewer = Array.from({ length: modules.length - 1 }, (_, i) => modules.length - 1 - i);
  const least = await lastThat(fewer, async (further) => fitting(most.batch, further));
  return [...found, least ?? most];
}

function divisorsOf(n: number): number[] {
  const small = Array.from({ length: Math.floor(Math.sqrt(n)) }, (_, i) => i + 1).filter((d) => n % d === 0);
  const large = small.map((d) => n / d).filter((d) => d * d !== n);
  return [...small, ...large.reverse()];
}

/** Returns what `test` gives for the last item that passes, if all before it pass and none after it. */
async function lastThat<T, R>(items: readonly T[], test: (item: T) => Promise<R | undefined>): Promise<R | undefined> {
  let best: R | undefined;
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const passed = await test(items[middle]!);
    if (passed === undefined) high = middle;
    else {
      best = passed;
      low = middle + 1;
    }
  }
  return best;
}
