import type { IToken } from 'chevrotain';
import { Places, type Range, Ranges } from './places.ts';
import type { Span } from './span.ts';
import type { SyntaxFault, Unread } from './tree.ts';

/** Faults that the parser repairs with certainty: the code around them is treated as if it were correct. */
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

/** Collects faults, at most one at each offset, so that a repair does not cause a second message. */
export class FaultSink {
  readonly #faults: SyntaxFault[] = [];
  readonly #places = new Places();
  readonly #spoilt = new Ranges();
  readonly #unread: Unread[] = [];
  /** Offsets of unrepaired faults that no item has claimed yet (see `settle`). */
  readonly #open = new Places();
  /** Offsets from which the rest of the line could not be split into tokens. */
  readonly #cuts = new Places();

  add(code: string, span: Span, args: Readonly<Record<string, string>>, also?: Span): void {
    if (this.#places.has(span.start)) return;
    if (!mended.has(code)) this.#open.add(span.start);
    if (this.#spoilt.has(span.start)) return;
    this.#places.add(span.start);
    this.#faults.push(also === undefined ? { code, span, args } : { code, span, args, also });
  }

  /** Records that the line around `place` could not be split into tokens: nothing more is reported on it. */
  cut(text: string, place: number): void {
    const end = text.indexOf('\n', place);
    this.#cuts.add(place);
    this.spoil(text.lastIndexOf('\n', place - 1) + 1, end < 0 ? text.length : end);
  }

  isCut(start: number, end: number): boolean {
    return this.#cuts.any({ start, end });
  }

  /** Whether the range has an unrepaired fault that no item has claimed. */
  anyOpen(start: number, end: number): boolean {
    return this.#open.any({ start, end });
  }

  /** Marks the fault at `place` as repaired. */
  mend(place: number): void {
    this.#open.take({ start: place, end: place });
  }

  /** Suppresses further faults in a range, which would only be consequences of one that is already reported. */
  spoil(start: number, end: number): void {
    this.#spoilt.add({ start, end });
  }

  /** Whether the range has a fault. */
  any(start: number, end: number): boolean {
    return this.#places.any({ start, end });
  }

  /**
   * Called when an item has been parsed. If the range has unclaimed faults, the item claims them and is recorded as
   * unreliable: only its header, if all faults are before its body, which begins at `body`; otherwise all of it.
   */
  settle(file: string, { start, end }: Range, body: number | undefined): void {
    const own = this.#open.take({ start, end });
    if (own.length === 0) return;
    if (body !== undefined && own.every((place) => place < body))
      this.#unread.push({ span: { file, start, end: body }, part: 'header' });
    else this.#unread.push({ span: { file, start, end }, part: 'whole' });
  }

  /** Records an item that could not be parsed; nothing more is reported in it. */
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

/** The range of the line that contains an offset. */
export function lineAround(text: string, offset: number): Range {
  const end = text.indexOf('\n', offset);
  return { start: text.lastIndexOf('\n', offset - 1) + 1, end: end < 0 ? text.length : end };
}

/**
 * The start offset of a token as a small integer; 0 if it has none. The end-of-file token has NaN, which makes V8
 * store the offset of every token that chevrotain or the line rule creates as a double; one span with such an offset
 * makes V8 box the offsets of all spans.
 */
export function offsetOf(token: IToken): number {
  return token.startOffset | 0;
}

export function span(file: string, token: IToken): Span {
  const start = offsetOf(token);
  return { file, start, end: start + token.image.length };
}
