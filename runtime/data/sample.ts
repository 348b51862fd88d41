import type { Attributes } from './attributes.ts';

/** A phrase about an image, and the mask of what it names. */
export interface Sample extends Attributes {
  /** Paths of the image and of the mask. */
  readonly image: string;
  readonly mask: string;
  readonly phrase: string;
  /** Where the phrase stands: the file, and its line counted from 1. */
  readonly file: string;
  readonly line: number;
}
