/** A tick of an axis: where it is, and its label. */
export interface Tick {
  readonly at: number;
  readonly label: string;
}

/**
 * Returns ticks from 0 to a round number that is at least `most`: multiples of 1, 2 or 5 times a power of 10, never of
 * less than 1.
 */
export function countTicks(most: number, wanted = 5): readonly Tick[] {
  const rough = Math.max(1, most) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough);
  const count = Math.max(1, Math.ceil(most / step));
  return Array.from({ length: count + 1 }, (_, i) => ({ at: i * step, label: (i * step).toLocaleString('en') }));
}

/** Returns a tick at each power of 10 from `least` to `most`, both included and rounded outwards; values are shares. */
export function percentTicks(least: number, most: number): readonly Tick[] {
  const [from, to] = [Math.floor(Math.log10(least) + 1e-9), Math.ceil(Math.log10(most) - 1e-9)];
  return Array.from({ length: Math.max(1, to - from) + 1 }, (_, i) => {
    const at = 10 ** (from + i);
    return { at, label: percent(at) };
  });
}

export function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}
