import type { DocLine } from './lex.ts';
import type { Comment } from './tree.ts';

/** The `///` lines of a file, each assigned to the node that follows it. */
export class DocLines {
  readonly #file: string;
  readonly #text: string;
  readonly #lines: readonly DocLine[];
  readonly #taken = new Set<DocLine>();

  constructor(file: string, text: string, lines: readonly DocLine[]) {
    this.#file = file;
    this.#text = text;
    this.#lines = lines;
  }

  /**
   * The lines that document the node at `offset`: the block directly above it, after the token that ends at `from`.
   * A blank line ends the block.
   */
  before(offset: number, from: number): readonly string[] {
    const block: DocLine[] = [];
    let below = offset;
    for (let at = this.#lastBefore(offset); at >= 0; at--) {
      const line = this.#lines[at]!;
      if (line.start < from || !line.ownLine || this.#taken.has(line)) break;
      if (/\n[ \t\r]*\n/.test(this.#text.slice(line.end, below))) break;
      block.push(line);
      below = line.start;
    }
    // Collected backwards and reversed once: `unshift` takes a minute for a million lines.
    block.reverse();
    for (const line of block) this.#taken.add(line);
    return block.map((line) => line.text);
  }

  /** The block that opens the file and documents it: above the first `use`, or set off by a blank line. */
  ofFile(firstToken: number, firstIsUse: boolean): readonly string[] {
    const block: DocLine[] = [];
    for (const line of this.#lines) {
      if (line.start > firstToken || !line.ownLine) break;
      const last = block[block.length - 1];
      if (last && /\n[ \t\r]*\n/.test(this.#text.slice(last.end, line.start))) break;
      block.push(line);
    }
    const last = block[block.length - 1];
    if (!last) return [];
    const setOff = /^[ \t\r]*(\n[ \t\r]*(\n|$)|\n?$)/.test(this.#text.slice(last.end));
    if (!setOff && !(firstIsUse && this.#text.slice(last.end, firstToken).trim() === '')) return [];
    for (const line of block) this.#taken.add(line);
    return block.map((line) => line.text);
  }

  /** The lines that document no node, as ordinary comments. */
  rest(): readonly Comment[] {
    return this.#lines
      .filter((line) => !this.#taken.has(line))
      .map((line) => ({
        text: this.#text.slice(line.start, line.end).trimEnd(),
        ownLine: line.ownLine,
        span: { file: this.#file, start: line.start, end: line.end },
      }));
  }

  #lastBefore(offset: number): number {
    let low = 0;
    let high = this.#lines.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#lines[middle]!.start < offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
