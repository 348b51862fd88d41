import type { IToken } from 'chevrotain';
import type { Span } from './span.ts';
import type { SyntaxFault } from './tree.ts';

/** Collects what can't be read; at most one fault a place, so that a repair never echoes. */
export class FaultSink {
  readonly #faults: SyntaxFault[] = [];
  readonly #places = new Set<number>();

  readonly #spoilt: { readonly start: number; readonly end: number }[] = [];

  add(code: string, span: Span, args: Readonly<Record<string, string>>, also?: Span): void {
    if (this.#places.has(span.start) || this.#spoilt.some((line) => line.start <= span.start && span.start <= line.end))
      return;
    this.#places.add(span.start);
    this.#faults.push(also === undefined ? { code, span, args } : { code, span, args, also });
  }

  /** Part of a line could not even be split into tokens: nothing more is said about that line. */
  spoil(text: string, offset: number): void {
    const end = text.indexOf('\n', offset);
    this.#spoilt.push({ start: text.lastIndexOf('\n', offset - 1) + 1, end: end < 0 ? text.length : end });
  }

  inOrder(): readonly SyntaxFault[] {
    return [...this.#faults].sort((a, b) => a.span.start - b.span.start);
  }
}

export function span(file: string, token: IToken): Span {
  return { file, start: token.startOffset, end: token.startOffset + token.image.length };
}
