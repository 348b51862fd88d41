import type { Span } from '../../../grammar/span.ts';

/** What waits for its value: asked for once more, it depends on itself. */
export interface Asked {
  readonly name: string;
  readonly span: Span;
  /** Of a line or argument that gives a value: the place of its model in the chain. Undefined for what is declared. */
  readonly nearness: number | undefined;
}
