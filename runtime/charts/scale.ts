/** A place on an axis with a label. */
export interface Tick {
  readonly at: number;
  readonly label: string;
}

/** Where values are on an axis. */
export interface Scale {
  readonly ticks: readonly Tick[];
  /** Returns the place of a value, as a share of the axis from its start. */
  share(value: number): number;
}

export type Range = readonly [low: number, high: number];

export interface LinearOptions {
  /** Number of steps between ticks, about. */
  readonly steps?: number;
  /** The least distance of ticks; 1 for counts. */
  readonly leastStep?: number;
  /** Whether the axis ends where the range ends, and not at the next ticks. */
  readonly exact?: boolean;
  readonly label?: (value: number) => string;
}

/** Returns a scale with ticks at multiples of 1, 2 or 5 times a power of 10. */
export function linearScale(range: Range, options: LinearOptions = {}): Scale {
  const { steps = 5, leastStep = 0, exact = false } = options;
  const [low, high] = range[0] < range[1] ? range : [range[0], range[0] + 1];
  const rough = Math.max((high - low) / steps, leastStep);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * (1 - 1e-9)) ?? 10 * power;
  const outwards = exact ? -1e-9 : 1e-9;
  const [down, up] = exact ? [Math.ceil, Math.floor] : [Math.floor, Math.ceil];
  const [first, last] = [down(low / step + outwards), up(high / step - outwards)];
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const label = options.label ?? ((value: number) => fixed(value, decimals));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => {
    const value = Number(((first + i) * step).toFixed(Math.min(decimals, 100)));
    return { at: value, label: label(value) };
  });
  const [from, to] = exact ? [low, high] : [first * step, last * step];
  return { ticks, share: (value) => (value - from) / (to - from) };
}

/** Returns a scale of counts from 0, with ticks at whole numbers. */
export function countScale(most: number, steps = 5): Scale {
  return linearScale([0, Math.max(1, most)], { steps, leastStep: 1 });
}

/** Returns a scale of logarithms that ends at powers of 10, which are its ticks; lower values are at its start. */
export function powerScale([low, high]: Range, label: (value: number) => string): Scale {
  const from = Math.floor(Math.log10(low) + 1e-9);
  const to = Math.max(from + 1, Math.ceil(Math.log10(high) - 1e-9));
  const ticks = Array.from({ length: to - from + 1 }, (_, i) => tickOf(10 ** (from + i), label));
  return { ticks, share: (value) => (Math.log10(Math.max(value, 10 ** from)) - from) / (to - from) };
}

/** Returns a scale of logarithms that ends where the range ends, with a few round numbers as ticks. */
export function logarithmicScale([low, high]: Range, label: (value: number) => string, most = 8): Scale {
  const [from, to] = [Math.log10(low), Math.log10(high)];
  const within = (factors: readonly number[]) => {
    const powers = Array.from({ length: Math.ceil(to) - Math.floor(from) + 1 }, (_, i) => 10 ** (Math.floor(from) + i));
    return powers
      .flatMap((power) => factors.map((factor) => factor * power))
      .filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
  };
  const choices = [[1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]].map(within);
  const values = choices.find(({ length }) => length <= most) ?? choices.at(-1) ?? [];
  return {
    ticks: values.map((value) => tickOf(value, label)),
    share: (value) => (Math.log10(value) - from) / (to - from),
  };
}

/** The lowest and the highest number; around a single one, some more. */
export function rangeOf(values: Iterable<number>): Range {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) if (Number.isFinite(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (low > high) return [0, 1];
  const some = Math.abs(low) * 0.05 || 0.5;
  return low === high ? [low - some, high + some] : [low, high];
}

/** Formats a number with separators of thousands. */
export function fixed(value: number, decimals = 0): string {
  return value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** Formats a share with three digits: `12.3 %`. */
export function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

/** Formats a count with three digits and a decimal prefix: `1.66 M`. */
export function brief(value: number): string {
  const units = ['', ' k', ' M', ' G', ' T', ' P'];
  const at = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  return `${Number((value / 1000 ** at).toPrecision(3))}${units[at]}`;
}

function tickOf(value: number, label: (value: number) => string): Tick {
  const at = Number(value.toPrecision(12));
  return { at, label: label(at) };
}
