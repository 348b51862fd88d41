/** Random draws that are the same for the same seed, on every machine. */
export interface Draw {
  /** An int from 0 to `n - 1`. */
  below(n: number): number;
  /** True once in `n` times. */
  once(n: number): boolean;
  of<T>(items: readonly T[]): T;
  /** The items in another order. */
  shuffled<T>(items: readonly T[]): T[];
}

/** Mulberry32: a 32-bit counter behind a mixing function. */
export function draws(seed: number): Draw {
  let state = Math.imul(seed, 2654435761) >>> 0;
  const below = (n: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * n);
  };
  return {
    below,
    once: (n) => below(n) === 0,
    of: (items) => items[below(items.length)]!,
    shuffled(items) {
      const rest = [...items];
      for (let i = rest.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [rest[i], rest[j]] = [rest[j]!, rest[i]!];
      }
      return rest;
    },
  };
}
