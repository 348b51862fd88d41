import type { Comment, SourceFile } from './tree.ts';

/** The comments and line structure of the source, consumed by the formatter in order. */
export class Trivia {
  readonly #text: string;
  readonly #comments: readonly Comment[];
  #next = 0;

  constructor(tree: SourceFile) {
    this.#text = tree.text;
    this.#comments = tree.comments;
  }

  /** Consumes and returns the remaining comments before `offset`. */
  before(offset: number): readonly Comment[] {
    const from = this.#next;
    while (this.#next < this.#comments.length && this.#comments[this.#next]!.span.start < offset) this.#next++;
    return this.#comments.slice(from, this.#next);
  }

  /** Whether an unconsumed comment is before `offset`. */
  pending(offset: number): boolean {
    const next = this.#comments[this.#next];
    return next !== undefined && next.span.start < offset;
  }

  /** Whether the source has a newline between two offsets. */
  breaksBetween(start: number, end: number): boolean {
    const at = this.#text.indexOf('\n', start);
    return at >= 0 && at < end;
  }

  /** Whether the line above `offset`'s line is blank. */
  blankAbove(offset: number): boolean {
    return /\n[ \t\r]*\n[ \t\r]*$/.test(this.#text.slice(Math.max(0, offset - 400), offset));
  }

  /** The first offset from `start` that is not white space, comment, `,` or `;`. */
  solid(start: number): number {
    const text = this.#text;
    let at = start;
    while (at < text.length) {
      if (text.startsWith('//', at)) {
        const end = text.indexOf('\n', at);
        at = end < 0 ? text.length : end;
      } else if (/[\s,;]/.test(text[at]!)) at++;
      else break;
    }
    return at;
  }

  /** Whether the braces after a header, which ends at `from`, are on one line up to `end`. */
  inline(from: number, end: number): boolean {
    let open = this.solid(from);
    while (this.#text[open] === '(' || this.#text[open] === ')') open = this.solid(open + 1);
    return !this.breaksBetween(open, end);
  }

  /** The start offset of the `count` documentation lines above `offset`. */
  docsStart(offset: number, count: number): number {
    let start = offset;
    for (let left = count, end = offset; left > 0; ) {
      const from = this.#text.lastIndexOf('\n', end - 1) + 1;
      const found = this.#text.slice(from, end).search(/\/\/\/(?!\/)/);
      if (found >= 0 && this.#text.slice(from, from + found).trim() === '') {
        start = from + found;
        left--;
      }
      if (from === 0) break;
      end = from - 1;
    }
    return start;
  }

  /** The character at an offset. */
  at(offset: number): string | undefined {
    return this.#text[offset];
  }
}
