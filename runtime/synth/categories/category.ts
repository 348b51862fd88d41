import type { Colour } from '../colours.ts';
import type { Polygon } from '../geometry.ts';
import type { Random } from '../random.ts';

/** The kind of ground at a place. */
export type Surface = 'grass' | 'soil' | 'paved' | 'road' | 'water' | 'sand';

export const land: readonly Surface[] = ['grass', 'soil', 'paved', 'sand'];

/**
 * The drawing of one object, about 1 unit long, with its front up (y = -0.5) and its centre at the origin. `outline` is
 * the object's mask; `svg` covers exactly this area.
 */
export interface Artwork {
  readonly outline: readonly Polygon[];
  readonly svg: string;
  /** Set only if phrases may mention the shape: `round`, `oval`. */
  readonly shape?: string;
}

export interface Category {
  readonly name: string;
  /** Nouns for it, the usual one first. None of them applies to another category. */
  readonly nouns: readonly string[];
  readonly plural: string;
  /** A more general noun that applies to several categories: `vehicle`. */
  readonly general?: string;
  /** Colours that phrases may mention; empty if colour does not distinguish objects. */
  readonly colours: readonly Colour[];
  /** Shortest and longest length as shares of the image's side, at scale 1. */
  readonly length: readonly [low: number, high: number];
  readonly on: readonly Surface[];
  /** `square`: within a few degrees of the ground's grain, or of the image's axes if the ground has none. */
  readonly turn: 'any' | 'square';
  /** Height above the ground relative to the length; it determines the length of the shadow. */
  readonly height: number;
  /** Whether it has small or thin parts; such categories are left out of easy scenes. */
  readonly fine?: true;
  draw(random: Random, colour: string): Artwork;
}
