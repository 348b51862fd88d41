import type { Span } from '../../../grammar/span.ts';

/** A value under evaluation; a second request for it is a circular dependency. */
export interface Asked {
  readonly name: string;
  readonly span: Span;
  /**
   * For a line or argument that sets a value, the index of its model in the inheritance chain; undefined for a
   * declared value.
   */
  readonly nearness: number | undefined;
}
