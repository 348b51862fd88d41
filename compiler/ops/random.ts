import type { Random } from './row.ts';

/**
 * Returns a generator whose random choices depend only on the seed: xoshiro128** seeded by splitmix32 (Blackman and
 * Vigna, "Scrambled linear pseudorandom number generators", 2021).
 */
export function seededRandom(seed: number): Random {
  let splitmix = seed | 0;
  const word = (): number => {
    splitmix = (splitmix + 0x9e3779b9) | 0;
    let z = splitmix;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
  let s0 = word();
  let s1 = word();
  let s2 = word();
  let s3 = word();
  const next = (): number => {
    const scrambled = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0;
    const shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = rotate(s3, 11);
    return scrambled;
  };
  const real = (): number => next() / 2 ** 32;
  const int = (lo: number, hi: number): number => lo + Math.floor(real() * (hi - lo + 1));
  return {
    real,
    int,
    pick<T>(items: readonly T[]): T {
      if (items.length === 0) throw new Error('bug in crobc: pick from an empty list');
      return items[int(0, items.length - 1)] as T;
    },
  };
}

/** Derives a seed from text (FNV-1a, 32 bits). */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
