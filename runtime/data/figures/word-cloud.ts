import { type Drawing, text, type Weight } from '../../drawing/drawing.ts';
import type { Fonts } from '../../drawing/fonts.ts';
import type { Counts } from '../statistics.ts';

/** Words that every phrase needs, whatever it is about: they say nothing of a data set. */
const functionWords: ReadonlySet<string> = new Set(
  'a an and are as at be by for from has in into is it its of on or than that the their there these this to which with'.split(
    ' ',
  ),
);

export interface PlacedWord {
  readonly word: string;
  readonly count: number;
  /** Size and weight of the font. */
  readonly size: number;
  readonly weight: Weight;
  /** The rectangle that the word fills at most; the origin is the middle of the cloud. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Sizes of the font of the rarest and of the most frequent word. */
const [SMALLEST, LARGEST] = [13, 64];
/** Ascent and descent of a line, in units of its font size, and the gaps between words. */
const ASCENT = 0.78;
const DESCENT = 0.24;
const [GAP, SPACE] = [2, 0.12];
/** Number of words that are in bold. */
const BOLD = 8;
/** How much wider than high the cloud is. */
const ASPECT = 1.7;

/** Returns the words that a cloud shows: the most frequent ones without punctuation and function words. */
export function cloudWords(words: Counts, most = 50): Counts {
  return words.filter(([word]) => /\p{L}/u.test(word) && !functionWords.has(word)).slice(0, most);
}

/**
 * Places words around the middle, the most frequent first, each as near to it as the others leave room: on a spiral, at
 * the first place where its rectangle is free. The area of a word follows its count. The same counts give the same
 * places.
 */
export function placeWords(words: Counts, fonts: Fonts): readonly PlacedWord[] {
  const most = words[0]?.[1] ?? 1;
  const placed: PlacedWord[] = [];
  for (const [i, [word, count]] of words.entries()) {
    const weight = i < BOLD ? 'bold' : 'regular';
    const size = Math.max(SMALLEST, LARGEST * Math.sqrt(count / most));
    const box = {
      width: fonts.width(word, size, weight) + SPACE * size + GAP,
      height: size * (ASCENT + DESCENT) + GAP,
    };
    for (let turn = 0; ; turn++) {
      const angle = turn * 0.35;
      const radius = 1.1 * angle;
      const left = ASPECT * radius * Math.cos(angle) - box.width / 2;
      const top = radius * Math.sin(angle) - box.height / 2;
      const here = { word, count, size, weight, left, top, ...box } as const;
      if (placed.some((other) => overlap(here, other))) continue;
      placed.push(here);
      break;
    }
  }
  return placed;
}

function overlap(a: PlacedWord, b: PlacedWord): boolean {
  return a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height;
}

/** Dark colours, since thin letters in a light one are hard to read. */
const colours = ['#00558a', '#a84300', '#00704f', '#7a3b6b', '#3a3f47'] as const;
const MARGIN = 16;

/** Draws the most frequent words of a data set, as figure 4 of the CroBIM paper does. */
export function wordCloud(words: Counts, fonts: Fonts): Drawing {
  const placed = placeWords(cloudWords(words), fonts);
  const left = Math.min(0, ...placed.map((one) => one.left)) - MARGIN;
  const top = Math.min(0, ...placed.map((one) => one.top)) - MARGIN;
  const right = Math.max(0, ...placed.map((one) => one.left + one.width)) + MARGIN;
  const bottom = Math.max(0, ...placed.map((one) => one.top + one.height)) + MARGIN;
  const marks = placed.map(({ word, size, weight, left: x, top: y, width: w }, i) =>
    text(word, x + w / 2 - left, y + GAP / 2 + ASCENT * size - top, {
      size,
      weight,
      anchor: 'middle',
      fill: colours[i % colours.length] ?? colours[0],
      // In a wider font, words would overlap.
      fixedWidth: fonts.width(word, size, weight),
    }),
  );
  return { title: 'Frequent words', width: Math.ceil(right - left), height: Math.ceil(bottom - top), marks };
}
