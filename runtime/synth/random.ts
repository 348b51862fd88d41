import { philoxFill } from '../tensors/philox.ts';

const BLOCK = 256;

/** Random numbers of one scene; deterministic in seed and stream, and independent of other scenes. */
export class Random {
  readonly #key: readonly [number, number];
  readonly #stream: readonly [number, number];
  readonly #words = new Uint32Array(BLOCK);
  #drawn = 0;

  constructor(seed: number, stream: readonly [number, number]) {
    this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32) ^ 0x5c_e0_e5];
    this.#stream = stream;
  }

  /** Uniform in [0, 1). */
  next(): number {
    const at = this.#drawn++ % BLOCK;
    if (at === 0) {
      philoxFill(this.#words, { key: this.#key, stream: this.#stream }, Math.floor((this.#drawn - 1) / 4));
    }
    return this.#words[at]! / 2 ** 32;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** Returns an integer from `low` to `high`, both inclusive. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)]!;
  }

  /** Returns a random item, with probabilities proportional to the weights. */
  weighted<T>(items: readonly T[], weight: (item: T) => number): T {
    let left = this.next() * items.reduce((sum, item) => sum + weight(item), 0);
    for (const item of items) {
      left -= weight(item);
      if (left < 0) return item;
    }
    return items.at(-1)!;
  }

  shuffled<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.whole(0, i);
      [out[i], out[j]] = [out[j]!, out[i]!];
    }
    return out;
  }
}
