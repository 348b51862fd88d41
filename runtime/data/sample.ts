import type { Attributes } from './attributes.ts';
import type { MaskSource } from './mask-source.ts';

/** A phrase about an image, with the mask of the object that it names. */
export interface Sample extends Attributes {
  /** Path of the image. */
  readonly image: string;
  readonly mask: MaskSource;
  readonly phrase: string;
  /**
   * The file that has the phrase, and the line in it, from 1. In a pickle, which has no lines, the number of the phrase
   * among those of its split.
   */
  readonly file: string;
  readonly line: number;
}
