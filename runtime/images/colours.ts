import { UserError } from '../files/user-error.ts';
import type { Levels, Stretch, ValueCounts } from './levels.ts';

/** How bands of a picture become colours. */
export interface ColourChoice {
  /** The bands to show as red, green and blue, from 1; a single one is shown as grey. */
  readonly bands?: readonly number[];
  /** Undefined: 8 and 16 bits as they are, and a note on pictures that are nearly black. */
  readonly stretch?: Stretch;
}

/** The choice that options make. */
export function colourChoice({
  bands,
  stretch,
}: {
  readonly bands?: readonly number[] | undefined;
  readonly stretch?: Stretch | undefined;
}): ColourChoice {
  return { ...(bands && { bands }), ...(stretch && { stretch }) };
}

/** Something about a picture that crobc assumed. `kind` is the same for all pictures of which it is true. */
export interface PictureNote {
  readonly kind: 'first-bands' | 'unnamed-bands' | 'dark' | 'large';
  /** A sentence about the file, without its name. */
  readonly text: string;
}

/** Below this byte, 10 % of the full range, nearly all pixels of a picture are dark. */
const darkest = 25;
const nearlyAll = 98;

/**
 * Parses `4,3,2` or `1`: the bands to show as red, green and blue, or a single one as grey. Returns undefined for
 * anything else.
 */
export function parseBands(text: string): readonly number[] | undefined {
  const bands = text.split(',').map((part) => (/^\s*\d{1,5}\s*$/.test(part) ? Number(part) : 0));
  return (bands.length === 1 || bands.length === 3) && bands.every((band) => band > 0) ? bands : undefined;
}

/** Parses `2,98` (percentiles, the lower first) or `none`. Returns undefined for anything else. */
export function parseStretch(text: string): Stretch | undefined {
  if (text === 'none') return 'none';
  const [low = '', high = '', ...rest] = text.split(',').map((part) => part.trim());
  const number = /^\d+(\.\d+)?$/;
  if (rest.length > 0 || !number.test(low) || !number.test(high)) return undefined;
  const stretch = { low: Number(low), high: Number(high) };
  return stretch.low < stretch.high && stretch.high <= 100 ? stretch : undefined;
}

/** The three bands (from 0) to show of a picture with `count` bands. Throws a UserError if it has not all of them. */
export function chosenBands(bands: readonly number[], count: number, name: string): readonly number[] {
  const missing = bands.find((band) => band > count);
  if (missing !== undefined)
    throw new UserError(
      `cannot read ${name}: it has ${count === 1 ? '1 band' : `${count} bands`}, and --bands asks for band ${missing}`,
    );
  const [first = 1, second = first, third = first] = bands;
  return [first - 1, second - 1, third - 1];
}

/** The note on a picture of 16 bits that is nearly black; `counts` are those of its bytes. */
export function darkNote(counts: ValueCounts): PictureNote | undefined {
  const bright = counts.percentile(nearlyAll);
  if (counts.isEmpty || bright > darkest) return undefined;
  const share = (bright / 255) * 100;
  const text = `it is nearly black: ${nearlyAll} % of its values are below ${Math.max(1, Math.ceil(share))} % of what 16 bits hold; --stretch 2,98 uses the full range, and --stretch none leaves it as it is`;
  return { kind: 'dark', text };
}

/** The levels of each channel by percentiles of its values. */
export function stretched(counts: readonly ValueCounts[], { low, high }: Exclude<Stretch, 'none'>): Levels[] {
  return counts.map((count) => ({ low: count.percentile(low), high: count.percentile(high) }));
}
