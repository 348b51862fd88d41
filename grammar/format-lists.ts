import { breaks, group, hardline, ifBroken, indent, type Layout, line, separated, softline, suffix } from './layout.ts';
import type { Comment, SourceFile } from './tree.ts';
import { Trivia } from './trivia.ts';

/** An entry of a list or body: its source range, and its layout, which is computed when the entry is printed. */
export interface Entry {
  readonly start: number;
  readonly end: number;
  readonly docs?: readonly string[];
  readonly layout: () => Layout;
}

/** The separator between two statements: `; ` if they share a line. */
const statementBreak: Layout = { kind: 'line', flat: '; ', hard: false };

/**
 * Formats lists and bodies with their comments. Comments are consumed in source order, so layouts must be made in
 * that order.
 */
export abstract class ListFormatter {
  protected readonly trivia: Trivia;

  constructor(tree: SourceFile) {
    this.trivia = new Trivia(tree);
  }

  /** Comma-separated entries, all on one line or each on its own. `end` is the offset of the closing bracket. */
  protected list(open: string, entries: readonly Entry[], close: string, end: number): Layout {
    const inside: Layout[] = [];
    entries.forEach((entry, i) => {
      const { trailing, above } = this.#lead(this.#top(entry));
      inside.push(i === 0 ? [] : ',', trailing, i === 0 ? softline : line);
      inside.push(
        above.map((comment) => [comment.text, hardline]),
        this.#docs(entry),
        entry.layout(),
      );
    });
    const { trailing, above } = this.#lead(end);
    inside.push(
      entries.length > 0 ? ifBroken(',') : [],
      trailing,
      above.map((comment) => [hardline, comment.text]),
    );
    if (entries.length === 0 && !breaks(inside)) return [open, close];
    return group(open, indent(inside), softline, close);
  }

  /** Comma-separated clauses without brackets. */
  protected clauses(word: string, entries: readonly Entry[]): Layout {
    const parts = entries.map((entry, i): Layout => {
      if (i === 0) {
        const comments = this.trivia
          .before(entry.start)
          .map((comment, j) => (j === 0 ? suffix(comment.text) : [hardline, comment.text]));
        return [comments, comments.length > 0 ? hardline : [], entry.layout()];
      }
      const { trailing, above } = this.#lead(entry.start);
      return [',', trailing, line, above.map((comment) => [comment.text, hardline]), entry.layout()];
    });
    return group(word, ' ', indent(parts, 6));
  }

  /**
   * A body in braces. `inline` is whether the source has it on one line; it then stays there if it fits. `end` is
   * the offset of the closing brace. At most one blank line is kept between two entries.
   */
  protected body(entries: readonly Entry[], end: number, inline: boolean): Layout {
    const comments = this.trivia.pending(end);
    if (entries.length === 0 && !comments) return '{ }';
    if (inline && !comments && entries.every((entry) => !entry.docs?.length)) {
      const layouts = entries.map((entry) => entry.layout());
      if (!layouts.some(breaks)) return group('{', indent([line, separated(layouts, statementBreak)]), line, '}');
      return ['{', indent(layouts.map((layout) => [hardline, layout])), hardline, '}'];
    }
    const lines: Layout[] = [];
    /** Entries that the source has on one line. */
    let together: Layout[] = [];
    const flush = () => {
      if (together.length > 0) lines.push(group(separated(together, statementBreak)));
      together = [];
    };
    let last: Entry | undefined;
    for (const entry of entries) {
      const top = this.#top(entry);
      const { trailing, above } = this.#lead(top);
      const joined =
        last &&
        above.length === 0 &&
        !breaks(trailing) &&
        !entry.docs?.length &&
        !this.trivia.breaksBetween(last.end, entry.start);
      if (!joined) {
        flush();
        lines.push(
          trailing,
          this.#ownLines(above, last === undefined),
          this.#gap(top, last === undefined && above.length === 0),
        );
        lines.push(this.#docs(entry));
      }
      const layout = entry.layout();
      if (joined && (breaks(layout) || together.some(breaks))) {
        flush();
        lines.push(hardline);
      }
      together.push(layout);
      last = entry;
    }
    flush();
    const { trailing, above } = this.#lead(end);
    lines.push(trailing, this.#ownLines(above, entries.length === 0));
    return ['{', indent(lines), hardline, '}'];
  }

  /** A line break before the entry or comment at `offset`, with a blank line if the source has one. */
  #gap(offset: number, first: boolean): Layout {
    return !first && this.trivia.blankAbove(offset) ? [hardline, hardline] : hardline;
  }

  #ownLines(comments: readonly Comment[], first: boolean): Layout {
    return comments.map((comment, i) => [this.#gap(comment.span.start, first && i === 0), comment.text]);
  }

  /** Comments up to an offset: the one at the end of the previous line, and those above. */
  #lead(offset: number): { trailing: Layout; above: readonly Comment[] } {
    const comments = this.trivia.before(offset);
    const [first] = comments;
    if (!first || first.ownLine) return { trailing: [], above: comments };
    return { trailing: suffix(first.text), above: comments.slice(1) };
  }

  /** The start of an entry, including its documentation. */
  #top(entry: Entry): number {
    return entry.docs?.length ? this.trivia.docsStart(entry.start, entry.docs.length) : entry.start;
  }

  /** Documentation lines, and the comments between them and the entry. */
  #docs(entry: Entry): Layout {
    if (!entry.docs?.length) return [];
    const between = this.trivia.before(entry.start).map((comment) => comment.text);
    return [...docLines(entry.docs), ...between].map((text) => [text, hardline]);
  }
}

export function docLines(docs: readonly string[]): string[] {
  return docs.map((text) => `/// ${text}`.trimEnd());
}
