import type { Span } from '../../../grammar/span.ts';
import type { Given } from './values.ts';

/**
 * One line `path = value` of a model that changes something inside a part. Its right side is evaluated when it is first
 * needed. A line whose value nothing has asked for when the model is complete has no effect.
 */
export interface OverrideLine {
  /** Of the path, as it is written. */
  readonly span: Span;
  /** With its value. */
  readonly whole: Span;
  /** The model that wrote it. */
  readonly model: string;
  /** Place of that model in the chain: the nearest to the variant has the greatest. */
  readonly nearness: number;
  /**
   * The value. For a shadow, parts that it names may be shadows; asked for by the model itself, the line counts as used.
   */
  readonly given: (shadow: boolean) => Given;
  /** The same for a shadow, which depends on no argument of the modules that the line calls until that is read. */
  readonly opened: () => Opened;
}

/** A value whose modules lack the arguments that they are called with: these are lines below it, each evaluated when it is asked for. */
export interface Opened {
  readonly given: Given;
  readonly args: Overrides | undefined;
}

/** What the lines of a chain of models change below a part: by the name of a field or parameter, or by a list step. */
export interface Overrides {
  readonly line: OverrideLine | undefined;
  /** Step → below; a list index as its number, `*` for all. */
  readonly below: ReadonlyMap<string, Overrides>;
  readonly span: Span;
}
