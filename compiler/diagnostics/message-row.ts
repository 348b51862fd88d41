/**
 * One row of the catalogue. `template` and `help` name their arguments in braces;
 * `explanation` is what `crobc explain CODE` prints (Markdown);
 * `example` is a complete file with exactly this message; the tests run it and the error index shows it.
 */
export interface MessageRow {
  readonly severity: 'error' | 'warning' | 'note';
  readonly title: string;
  readonly template: string;
  readonly help?: string;
  readonly explanation: string;
  readonly example: string;
  /** The lock file beside the example, for a message of `crobc check --lock`. */
  readonly lock?: string;
  /** The model of the example that is built, for a message of `crobc build --target torch`. */
  readonly torch?: string;
}
