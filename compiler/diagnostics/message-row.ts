/**
 * One row of the catalogue. `template` and `help` name their arguments in braces;
 * `explanation` is what `crobc explain CODE` prints (Markdown);
 * `example` is a whole file that gives this message, run by the tests and shown in the error index.
 */
export interface MessageRow {
  readonly severity: 'error' | 'warning' | 'note';
  readonly title: string;
  readonly template: string;
  readonly help?: string;
  readonly explanation: string;
  readonly example: string;
}
