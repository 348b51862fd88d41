/** Seconds of repeated runs. */
export interface Timing {
  readonly median: number;
  readonly low: number;
  /** The 10th and the 90th percentile. */
  readonly p10: number;
  readonly p90: number;
  readonly runs: number;
}

/** Times runs one by one: `runs` of them, or as many as fit into the seconds, but at least the fewest. */
export async function timed(
  run: () => Promise<void>,
  { runs, fewest, seconds }: { readonly runs: number; readonly fewest: number; readonly seconds: number },
): Promise<Timing> {
  const samples: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (samples.length < fewest || (samples.length < runs && performance.now() < end)) {
    const start = performance.now();
    await run();
    samples.push((performance.now() - start) / 1000);
  }
  return statistics(samples);
}

export function statistics(samples: readonly number[]): Timing {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, low: sorted[0]!, p10: at(0.1), p90: at(0.9), runs: sorted.length };
}
