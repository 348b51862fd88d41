import { philoxFill } from '../tensors/philox.ts';

const pairs = [
  ['left', 'right'],
  ['leftmost', 'rightmost'],
  ['leftward', 'rightward'],
  ['leftwards', 'rightwards'],
  ['lefthand', 'righthand'],
  ['east', 'west'],
  ['eastern', 'western'],
  ['easternmost', 'westernmost'],
  ['eastward', 'westward'],
  ['northeast', 'northwest'],
  ['southeast', 'southwest'],
  ['northeastern', 'northwestern'],
  ['southeastern', 'southwestern'],
] as const;
const other = new Map(pairs.flatMap(([a, b]) => [[a, b] as const, [b, a] as const]) as [string, string][]);

/** Phrases that cannot be mirrored by swapping words, or in which `right` is not a side. */
const unsure =
  /\b(?:(?:counter|anti)?-?clockwise|[LSZFJ]-shaped|letters?|numbers?|right(?:-|\s+)(?:angled?|next|at|behind|above|below|beside|in|on|under|between|after|before|along|outside|inside|around))\b/i;

/** Returns the phrase for the mirrored image; undefined if it is uncertain. */
export function mirrorPhrase(phrase: string): string | undefined {
  if (unsure.test(phrase)) return undefined;
  return phrase.replace(/\p{L}+/gu, (word) => {
    const mirrored = other.get(word.toLowerCase());
    if (mirrored === undefined) return word;
    if (word === word.toUpperCase()) return mirrored.toUpperCase();
    return word[0] === word[0]!.toUpperCase() ? mirrored[0]!.toUpperCase() + mirrored.slice(1) : mirrored;
  });
}

/** Separates these draws from others with the same seed: 'mirr'. */
const MIRROR_STREAM = 0x6d697272;

/** Whether the sample at a place is mirrored in an epoch (half of them are); depends only on seed, epoch and place. */
export function isMirrored(place: number, seed: number, epoch: number): boolean {
  const words = new Uint32Array(4);
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0] as const;
  philoxFill(words, { key, stream: [epoch >>> 0, MIRROR_STREAM] }, place);
  return (words[0]! & 1) === 1;
}
