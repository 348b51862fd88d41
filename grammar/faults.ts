import type { IToken } from 'chevrotain';
import type { Span } from './span.ts';
import type { SyntaxFault } from './tree.ts';

/** Collects what can't be read; at most one fault a place, so that a repair never echoes. */
export class FaultSink {
  readonly #faults: SyntaxFault[] = [];
  readonly #places = new Set<number>();

  add(code: string, span: Span, args: Readonly<Record<string, string>>, also?: Span): void {
    if (this.#places.has(span.start)) return;
    this.#places.add(span.start);
    this.#faults.push(also === undefined ? { code, span, args } : { code, span, args, also });
  }

  get count(): number {
    return this.#faults.length;
  }

  inOrder(): readonly SyntaxFault[] {
    return [...this.#faults].sort((a, b) => a.span.start - b.span.start);
  }
}

export function span(file: string, token: IToken): Span {
  return { file, start: token.startOffset, end: token.startOffset + token.image.length };
}
