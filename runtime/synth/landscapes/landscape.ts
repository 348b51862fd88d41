import type { Plot } from '../plot.ts';

/** How a category occurs in a landscape. */
export interface Part {
  /** How often, relative to the others; 0 for fixtures, which come with the ground. */
  readonly weight: number;
  /** Lengths here, in metres. `small` and `large` in phrases refer to them. */
  readonly metres: readonly [shortest: number, longest: number];
  /** Share of those that do not keep to the sites for their category; 1 if there are no sites. */
  readonly free?: number;
}

/** A kind of place, in which everything has its real size. */
export interface Landscape {
  readonly name: string;
  readonly weight: number;
  /** Length of the image's side in metres at scale 1; a scene at scale 1.25 shows less. */
  readonly metres: readonly [low: number, high: number];
  /** What the ground is before anything is laid out. */
  readonly base: 'meadow' | 'water' | 'concrete';
  /** Angles of the grain in the image that occur, in degrees, each ± 20. */
  readonly angles?: readonly number[];
  readonly parts: Readonly<Record<string, Part>>;
  lay(plot: Plot): void;
}
