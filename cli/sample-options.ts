import type { OnBad } from '../runtime/data/problems.ts';
import type { OnSizeMismatch } from '../runtime/data/size-mismatch.ts';
import { type ColourChoice, colourChoice } from '../runtime/images/colours.ts';
import type { Stretch } from '../runtime/images/levels.ts';
import type { Truncation } from '../runtime/text/truncation.ts';

/** Options of commands that read images: how bands become colours. */
export interface ColourOptions {
  readonly bands?: readonly number[];
  readonly stretch?: Stretch;
}

/** Options of commands that read phrases. */
export interface TextOptions {
  readonly tokenizer?: string;
  readonly truncation?: Truncation;
}

/** Options of commands that run a model on the samples of a data set. */
export interface SampleOptions extends ColourOptions, TextOptions {
  /** False with --no-phrases. */
  readonly phrases: boolean;
  readonly onBad: OnBad;
  readonly onSizeMismatch?: OnSizeMismatch;
}

/** How samples become inputs, as the runtime takes it. */
export interface SampleChoices {
  readonly tokenizer: string | undefined;
  readonly truncation: Truncation | undefined;
  readonly blank: boolean;
  readonly onBad: OnBad;
  readonly onSizeMismatch: OnSizeMismatch | undefined;
  readonly colours: ColourChoice;
}

/** The choices that options make. */
export function sampleChoices(options: SampleOptions): SampleChoices {
  const { tokenizer, truncation, phrases, onBad, onSizeMismatch } = options;
  return { tokenizer, truncation, blank: !phrases, onBad, onSizeMismatch, colours: colourChoice(options) };
}
