import type { IToken } from 'chevrotain';
import { Places, type Range, Ranges } from './places.ts';
import type { Span } from './span.ts';
import type { SyntaxFault, Unread } from './tree.ts';

/** Mistakes after which the text is read as it was surely meant: all around them goes on as if they were not there. */
const mended: ReadonlySet<string> = new Set([
  'CROB1004',
  'CROB1010',
  'CROB1011',
  'CROB1013',
  'CROB1017',
  'CROB1023',
  'CROB1027',
  'CROB1028',
  'CROB1042',
  'CROB1047',
  'CROB1048',
  'CROB1050',
]);

/** Collects what can't be read; at most one fault a place, so that a repair never echoes. */
export class FaultSink {
  readonly #faults: SyntaxFault[] = [];
  readonly #places = new Places();
  readonly #spoilt = new Ranges();
  readonly #unread: Unread[] = [];
  /** Places of faults that no item has taken on yet, except those that are mended. */
  readonly #open = new Places();
  /** Where the rest of a line is no tokens. */
  readonly #cuts = new Places();

  add(code: string, span: Span, args: Readonly<Record<string, string>>, also?: Span): void {
    if (this.#places.has(span.start)) return;
    if (!mended.has(code)) this.#open.add(span.start);
    if (this.#spoilt.has(span.start)) return;
    this.#places.add(span.start);
    this.#faults.push(also === undefined ? { code, span, args } : { code, span, args, also });
  }

  /** The line around a place could not be split into tokens: nothing more is reported there. */
  cut(text: string, place: number): void {
    const end = text.indexOf('\n', place);
    this.#cuts.add(place);
    this.spoil(text.lastIndexOf('\n', place - 1) + 1, end < 0 ? text.length : end);
  }

  isCut(start: number, end: number): boolean {
    return this.#cuts.any({ start, end });
  }

  /** Whether something is wrong in a range that no item in it is to blame for. */
  anyOpen(start: number, end: number): boolean {
    return this.#open.any({ start, end });
  }

  /** The fault at a place is mended after all. */
  mend(place: number): void {
    this.#open.take({ start: place, end: place });
  }

  /** What stands there follows from a fault that is reported already: nothing more is reported there. */
  spoil(start: number, end: number): void {
    this.#spoilt.add({ start, end });
  }

  /** Whether something is wrong in a range. */
  any(start: number, end: number): boolean {
    return this.#places.any({ start, end });
  }

  /**
   * An item has been read that no item around it will look at again. Where a fault is its own, so is the doubt: about its
   * header alone when the fault stands there, before the body that begins at `body`.
   */
  settle(file: string, { start, end }: Range, body: number | undefined): void {
    const own = this.#open.take({ start, end });
    if (own.length === 0) return;
    if (body !== undefined && own.every((place) => place < body))
      this.#unread.push({ span: { file, start, end: body }, part: 'header' });
    else this.#unread.push({ span: { file, start, end }, part: 'whole' });
  }

  /** An item could not be read. */
  lose(file: string, { start, end }: Range): void {
    this.#open.take({ start, end });
    this.#unread.push({ span: { file, start, end }, part: 'whole' });
    this.spoil(start, end);
  }

  inOrder(): readonly SyntaxFault[] {
    return [...this.#faults].sort((a, b) => a.span.start - b.span.start);
  }

  unread(): readonly Unread[] {
    return this.#unread;
  }
}

/** The line around an offset. */
export function lineAround(text: string, offset: number): Range {
  const end = text.indexOf('\n', offset);
  return { start: text.lastIndexOf('\n', offset - 1) + 1, end: end < 0 ? text.length : end };
}

/**
 * Where a token starts, as a small integer; 0 for that of no token. The one at the end of a file has NaN; for V8 that makes the offset of every token
 * that chevrotain or the line rule puts in a double, and one span with such an offset makes boxes of those of all spans.
 */
export function offsetOf(token: IToken): number {
  return token.startOffset | 0;
}

export function span(file: string, token: IToken): Span {
  const start = offsetOf(token);
  return { file, start, end: start + token.image.length };
}
