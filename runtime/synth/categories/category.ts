import type { Colour } from '../colours.ts';
import type { Point, Polygon } from '../geometry.ts';
import type { Random } from '../random.ts';

/** The kind of ground at a place. */
export type Surface = 'grass' | 'crop' | 'soil' | 'paved' | 'road' | 'water' | 'sand' | 'roof' | 'canopy';

export const land: readonly Surface[] = ['grass', 'crop', 'soil', 'paved', 'sand'];

/**
 * The drawing of one object, 1 unit long, with its front up (y = -0.5) and its centre at the origin. `outline` is
 * the object's mask.
 */
export interface Artwork {
  readonly outline: readonly Polygon[];
  /** Draws it, covering exactly the outline. `light` is the direction towards the sun, as a unit vector. */
  readonly svg: (light: Point) => string;
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
  /** The lengths that there are, in metres. Each landscape takes a part of them. */
  readonly metres: readonly [shortest: number, longest: number];
  readonly on: readonly Surface[];
  /** `square`: within a few degrees of the ground's grain. */
  readonly turn: 'any' | 'square';
  /** Height above the ground in metres for something this long; it determines the length of the shadow. */
  readonly height: (metres: number) => number;
  /** Whether its parts are above the ground, so that its shadow lies beside it. */
  readonly raised?: true;
  /** Whether it has small or thin parts; such categories are left out of easy scenes. */
  readonly fine?: true;
  draw(random: Random, colour: string, metres: number): Artwork;
}
