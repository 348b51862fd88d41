import { type PhiloxKey, philoxFill } from '../tensors/philox.ts';
import type { Dataset } from './dataset.ts';

/** Separates these draws from others with the same seed: 'ordr'. */
const ORDER_STREAM = 0x6f726472;

/** Maximum number of words drawn at a time; a multiple of four. */
const MAX_CHUNK = 1 << 12;

/**
 * Returns the order of the places 0 … places-1 in an epoch: a Fisher-Yates shuffle that depends only on `places`,
 * `seed` and `epoch` and is the same on every machine, so that a run can be resumed within an epoch.
 */
export function epochOrder(places: number, seed: number, epoch: number): Uint32Array {
  const order = Uint32Array.from({ length: places }, (_, i) => i);
  const key = {
    key: [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0],
    stream: [epoch >>> 0, ORDER_STREAM],
  } as const;
  const below = drawer(key, Math.min(MAX_CHUNK, 4 * Math.ceil(places / 4)));
  for (let i = places - 1; i > 0; i--) {
    const j = below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/**
 * Returns the indices of an epoch's samples in order. The lines of the phrase file are shuffled, so that the order of
 * the other samples does not change when one turns out bad: a line without a sample is replaced by the next one that
 * has a sample.
 */
export function epochSamples({ samples, lines }: Pick<Dataset, 'samples' | 'lines'>, seed: number, epoch: number) {
  const order = epochOrder(lines, seed, epoch);
  const indices = new Map(samples.map(({ line }, index) => [line - 1, index]));
  // Backwards, so that the following sample is known; after the last line, it is the first one of the order.
  let next = indices.get(order.find((place) => indices.has(place))!)!;
  for (let i = lines - 1; i >= 0; i--) {
    next = indices.get(order[i]!) ?? next;
    order[i] = next;
  }
  return order;
}

/** Draws uniform integers below a bound. */
function drawer(key: PhiloxKey, chunk: number): (bound: number) => number {
  const words = new Uint32Array(chunk);
  let at = chunk;
  let block = 0;
  const word = () => {
    if (at === chunk) {
      philoxFill(words, key, block);
      block += chunk / 4;
      at = 0;
    }
    return words[at++]!;
  };
  return (bound) => {
    // Words above the last whole multiple of the bound are rejected, since they would make small numbers more likely.
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let drawn = word();
    while (drawn >= limit) drawn = word();
    return drawn % bound;
  };
}
