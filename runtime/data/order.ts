import { type PhiloxKey, philoxFill } from '../tensors/philox.ts';
import type { Dataset } from './dataset.ts';

/** Keeps these draws apart from others of the same seed: 'ordr'. */
const ORDER_STREAM = 0x6f726472;

/** Words drawn at a time, at most; a multiple of four. */
const MAX_CHUNK = 1 << 12;

/**
 * The order in which an epoch takes the places 0 … places-1: a shuffle (Fisher and Yates) that depends on `places`,
 * `seed` and `epoch` alone and is the same on every machine, so that a run that is resumed within an epoch goes on in it.
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
 * The samples of an epoch in order, as their indices. The order is of the lines of the phrase file, so that it stays when
 * samples turn out bad: the place of a line that makes none is taken by the next one that does.
 */
export function epochSamples({ samples, lines }: Pick<Dataset, 'samples' | 'lines'>, seed: number, epoch: number) {
  const order = epochOrder(lines, seed, epoch);
  const indices = new Map(samples.map(({ line }, index) => [line - 1, index]));
  // From the end: what comes next is then known, at the end that of the start.
  let next = indices.get(order.find((place) => indices.has(place))!)!;
  for (let i = lines - 1; i >= 0; i--) {
    next = indices.get(order[i]!) ?? next;
    order[i] = next;
  }
  return order;
}

/** Whole numbers below a bound, each as likely as the others. */
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
    // The words above the last whole multiple of the bound would make small numbers likelier.
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let drawn = word();
    while (drawn >= limit) drawn = word();
    return drawn % bound;
  };
}
