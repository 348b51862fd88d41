import type { Attributes } from './attributes.ts';

/** A phrase about an image, with the mask of the object that it names. */
export interface Sample extends Attributes {
  /** Paths of the image and of the mask. */
  readonly image: string;
  readonly mask: string;
  readonly phrase: string;
  /** The phrase file and the line in it, from 1. */
  readonly file: string;
  readonly line: number;
}
