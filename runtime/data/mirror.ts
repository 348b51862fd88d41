import { philoxFill } from '../tensors/philox.ts';
import { neutralWords } from './neutral-words.ts';

/** Words of one side, each with that of the other. */
export const pairs = [
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

/** What makes `left` and `right` other words than those of a side, and `port` one of a side. */
const unsure =
  /\bright(?:-|\s+)(?:angled?|next|at|behind|above|below|beside|in|on|under|between|after|before|along|outside|inside|around)\b|\bleft(?:-|\s+)(?:over|behind|alone|out)\b|\bport(?:-|\s+)side\b/i;

/** Neighbours by which `left` and `right` are words of a side: what is left may also be what remains. */
export const beforeSide = new Set(
  'a and at back bottom center centre extreme far farthest from front its lower middle near on or rear the their to top toward towards upper'.split(
    ' ',
  ),
);
export const afterSide = new Set(
  'and area bank border bottom corner corners edge edges end half hand lane lower most of one ones or part portion quarter row side sides third top upper wing'.split(
    ' ',
  ),
);

/** With these before it, `left` at the end of a phrase may be what remains. */
export const remaining = new Set('are be been being had has have is was were'.split(' '));

/** A word, with what is joined to it by a hyphen only in the names of shapes such as `t-shaped`. */
const words = /[a-z]-shaped\b|[\p{L}\p{N}\p{M}]+/giu;

/**
 * Returns the phrase for the mirrored image; undefined if that is uncertain: if any word is neither one whose mirror image
 * is known nor one that means the same in a mirrored image.
 */
export function mirrorPhrase(phrase: string): string | undefined {
  if (unsure.test(phrase)) return undefined;
  const all = [...phrase.matchAll(words)].map(([word]) => word.toLowerCase());
  const sure = all.every((word, i) => {
    if (word !== 'left' && word !== 'right') return other.has(word) || neutralWords.has(word);
    const [before, after] = [all[i - 1], all[i + 1]];
    if (after === undefined) return before === undefined || !remaining.has(before);
    return afterSide.has(after) || beforeSide.has(before ?? '');
  });
  if (!sure) return undefined;
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
