/** A variant with a mistake, and what mends it. */
export interface WrongVariant {
  readonly what: string;
  readonly source: string;
  readonly code: string;
  /** What is underlined. */
  readonly at: string;
  /** A part of the help, if there is one to follow. */
  readonly help?: string;
  /** What the mistake is replaced by; following the help must be enough. */
  readonly mended: readonly (readonly [wrong: string, right: string])[];
}
