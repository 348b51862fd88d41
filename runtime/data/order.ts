import { type PhiloxKey, philoxFill } from '../philox.ts';

/** Keeps these draws apart from others of the same seed: 'ordr'. */
const ORDER_STREAM = 0x6f726472;

/** Words drawn at a time, at most; a multiple of four. */
const MAX_CHUNK = 1 << 12;

/**
 * The order in which an epoch takes the samples 0 … samples-1: a shuffle (Fisher and Yates) that depends on `samples`,
 * `seed` and `epoch` alone and is the same on every machine, so that a run that is resumed within an epoch goes on in it.
 */
export function epochOrder(samples: number, seed: number, epoch: number): Uint32Array {
  const order = Uint32Array.from({ length: samples }, (_, i) => i);
  const key = {
    key: [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0],
    stream: [epoch >>> 0, ORDER_STREAM],
  } as const;
  const below = drawer(key, Math.min(MAX_CHUNK, 4 * Math.ceil(samples / 4)));
  for (let i = samples - 1; i > 0; i--) {
    const j = below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
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
