import type { Colour } from '../colours.ts';
import type { Polygon } from '../geometry.ts';
import type { Random } from '../random.ts';

/** What the ground is at a place. */
export type Surface = 'grass' | 'soil' | 'paved' | 'road' | 'water' | 'sand';

export const land: readonly Surface[] = ['grass', 'soil', 'paved', 'sand'];

/**
 * How one object looks, in units in which it is about 1 long: the front is up (y = -0.5), the centre is the origin.
 * `outline` is the object's mask, and `svg` covers it and no more.
 */
export interface Artwork {
  readonly outline: readonly Polygon[];
  readonly svg: string;
  /** Only where phrases may name it: `round`, `oval`. */
  readonly shape?: string;
}

export interface Category {
  readonly name: string;
  /** The words for it; the first is the usual one. No word is true of another category, except the more general ones. */
  readonly nouns: readonly string[];
  readonly plural: string;
  /** True of this category and of others that list it too: `vehicle`. */
  readonly general?: string;
  /** What phrases may call it; none where colour tells nothing. */
  readonly colours: readonly Colour[];
  /** Shortest and longest, as shares of the side of the image, where objects are drawn large. */
  readonly length: readonly [low: number, high: number];
  readonly on: readonly Surface[];
  /** `square`: within a few degrees of the image's axes; the ground decides for `anchored` ones. */
  readonly turn: 'any' | 'square';
  /** Height over the ground in its own units, which gives the length of the shadow. */
  readonly height: number;
  /** Small or thin parts: left out where a model sees few pixels of it. */
  readonly fine?: true;
  draw(random: Random, colour: string): Artwork;
}
