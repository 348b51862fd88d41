import { type Leaf, priority, textOf } from './leaves.ts';

export const lineLength = 88;

// Breaks long lines as the formatter black does (its documentation: "The Black code style"), so that generated files need no
// formatting. A line is first broken at its last pair of brackets: what is before them, what is in them, and what is behind. What is in
// brackets is broken at its delimiters of the highest priority. Brackets around the whole value of a statement are added where a line
// is broken at operators.

interface Line {
  readonly leaves: readonly Leaf[];
  /** Levels of indentation. */
  readonly depth: number;
  /** Whether it is in brackets. */
  readonly inside: boolean;
  /** Whether it is broken at its commas although it may fit. */
  readonly explode: boolean;
}

/** A line broken at a pair of brackets. */
interface Split {
  readonly head: Line;
  readonly body: Line;
  readonly tail: Line;
  readonly open: Leaf;
  readonly close: Leaf;
}

/** Returns the lines of a statement. */
export function brokenLines(leaves: readonly Leaf[], indent: number): readonly string[] {
  const layout = new Layout(leaves);
  return layout.lines({ leaves, depth: indent / 4, inside: false, explode: false }, false);
}

class Layout {
  readonly #pairs = new Map<Leaf, Leaf>();
  /** Hidden brackets in which a line is broken. */
  readonly #shown = new Set<Leaf>();

  constructor(leaves: readonly Leaf[]) {
    const open: Leaf[] = [];
    for (const leaf of leaves) {
      if (leaf.bracket === 'open') open.push(leaf);
      const start = leaf.bracket === 'close' ? open.pop() : undefined;
      if (start) {
        this.#pairs.set(start, leaf);
        this.#pairs.set(leaf, start);
      }
    }
  }

  /** `bracketed`: values are put in brackets wherever they can be. */
  lines(line: Line, bracketed: boolean): readonly string[] {
    if (this.#fits(line) && !line.explode) return [this.#text(line)];
    const parts = line.inside ? this.#atDelimiters(line) : undefined;
    if (parts) return this.#all(parts, bracketed);
    return this.#atBrackets(line, bracketed) ?? [this.#text(line)];
  }

  #all(parts: readonly Line[], bracketed: boolean): readonly string[] {
    return parts.flatMap((part) => this.lines(part, bracketed));
  }

  #text(line: Line): string {
    return ' '.repeat(4 * line.depth) + textOf(line.leaves, this.#shown);
  }

  #fits(line: Line): boolean {
    return this.#text(line).length <= lineLength;
  }

  #isHidden(leaf: Leaf): boolean {
    return leaf.hidden === true && !this.#shown.has(leaf);
  }

  /** The parts of a line between its delimiters of the highest priority. */
  #atDelimiters({ leaves, depth, inside }: Line): readonly Line[] | undefined {
    const delimiters = delimitersOf(leaves);
    const last = leaves.at(-1);
    const highest = Math.max(0, ...[...delimiters].flatMap(([leaf, one]) => (leaf === last ? [] : [one])));
    const places = new Set([...delimiters].flatMap(([leaf, one]) => (one === highest ? [leaf] : [])));
    if (highest === 0 || (highest === priority.dot && places.size === 1)) return undefined;
    const parts: Leaf[][] = [[]];
    for (const leaf of leaves) {
      const isComma = highest === priority.comma;
      if (places.has(leaf) && !isComma && (parts.at(-1)?.length ?? 0) > 0) parts.push([]);
      parts.at(-1)?.push(leaf);
      if (places.has(leaf) && isComma) parts.push([]);
    }
    const filled = parts.filter((part) => part.length > 0);
    const end = filled.at(-1);
    if (highest === priority.comma && end && end.at(-1)?.text !== ',') end.push({ text: ',', space: false });
    return filled.map((part) => ({ leaves: part, depth, inside, explode: false }));
  }

  /** Breaks a line at a pair of brackets; undefined if it has none to be broken at. */
  #atBrackets(line: Line, bracketed: boolean): readonly string[] | undefined {
    const split = this.#chosen(line, bracketed);
    if (!split) return undefined;
    const before = new Set(this.#shown);
    this.#show(split);
    const found = this.#all(partsOf(split), bracketed);
    const first = found[0];
    const own = hiddenAround(line.leaves);
    const isUsed = own.some((leaf) => this.#shown.has(leaf) && !before.has(leaf));
    if (bracketed || own.length === 0 || isUsed || first === undefined || first.length <= lineLength) return found;
    // The first line is still too long: brackets around values may help.
    const state = new Set(this.#shown);
    this.#restore(before);
    const again = this.#chosen(line, true);
    if (again) {
      this.#show(again);
      const second = this.#all(partsOf(again), true);
      if (second.every((one) => one.length <= lineLength)) return second;
    }
    this.#restore(state);
    return found;
  }

  #show({ open, close }: Split): void {
    if (!open.hidden) return;
    this.#shown.add(open);
    this.#shown.add(close);
  }

  #restore(shown: ReadonlySet<Leaf>): void {
    this.#shown.clear();
    for (const leaf of shown) this.#shown.add(leaf);
  }

  /** The last pair of brackets before which the line fits, when those behind it are kept together. */
  #chosen(line: Line, bracketed: boolean): Split | undefined {
    let start = 4 * line.depth;
    const starts = new Map<Leaf, number>();
    for (const leaf of line.leaves) {
      starts.set(leaf, start);
      start += this.#width(leaf);
    }
    for (const omitted of this.#trailers(line)) {
      const target =
        omitted.size > 0 ? line.leaves.findLast((leaf) => leaf.bracket === 'close' && !omitted.has(leaf)) : undefined;
      const open = target && this.#pairs.get(target);
      if (open && !this.#isHidden(open) && (starts.get(open) ?? 0) > lineLength) continue;
      const split = this.#splitFrom(line, omitted, bracketed);
      if (!split) return undefined;
      if (this.#headFits(split)) return split;
    }
    return this.#splitFrom(line, new Set(), bracketed);
  }

  /** Whether the first line of a split fits, with the bracket at its end. */
  #headFits({ head, open }: Split): boolean {
    const hidden = this.#isHidden(open) ? 1 : 0;
    return this.#text(head).length + hidden <= lineLength;
  }

  #width(leaf: Leaf): number {
    return (leaf.space ? 1 : 0) + (this.#isHidden(leaf) ? 0 : leaf.text.length);
  }

  /** Sets of closing brackets at the end of a line that may be kept together, each larger than the one before. */
  *#trailers({ leaves, depth }: Line): Iterable<ReadonlySet<Leaf>> {
    const omitted = new Set<Leaf>();
    yield new Set(omitted);
    let length = 4 * depth;
    let open: Leaf | undefined;
    let close: Leaf | undefined;
    let inner: Leaf[] = [];
    for (let i = leaves.length - 1; i >= 0; i--) {
      const leaf = leaves[i];
      if (!leaf) continue;
      length += this.#width(leaf);
      if (length > lineLength) return;
      if (open) {
        if (leaf === open) open = undefined;
        else if (leaf.bracket === 'close') inner.push(leaf);
      } else if (leaf.bracket === 'close') {
        if (leaves[i - 1]?.bracket === 'open') {
          inner.push(leaf);
          continue;
        }
        if (close) {
          for (const one of [close, ...inner]) omitted.add(one);
          inner = [];
          yield new Set(omitted);
        }
        if (!this.#isHidden(leaf)) {
          open = this.#pairs.get(leaf);
          close = leaf;
        }
      }
    }
  }

  #splitFrom(line: Line, omitted: ReadonlySet<Leaf>, bracketed: boolean): Split | undefined {
    const split = this.#lastBrackets(line, omitted);
    return split && this.#withoutHidden(split, line, omitted, bracketed);
  }

  /** The line at its last pair of brackets that are not omitted and not empty. */
  #lastBrackets({ leaves, depth }: Line, omitted: ReadonlySet<Leaf>): Split | undefined {
    for (let end = leaves.length - 1; end > 0; end--) {
      const close = leaves[end];
      const open = close && close.bracket === 'close' && !omitted.has(close) ? this.#pairs.get(close) : undefined;
      if (!close || !open) continue;
      const start = leaves.indexOf(open);
      if (start < 0) return undefined;
      if (start === end - 1) continue;
      const body = leaves.slice(start + 1, end);
      const explode = open.display === true && hasCommas(body);
      return {
        head: { leaves: leaves.slice(0, start + 1), depth, inside: false, explode: false },
        body: { leaves: body, depth: depth + 1, inside: true, explode },
        tail: { leaves: leaves.slice(end), depth, inside: false, explode: false },
        open,
        close,
      };
    }
    return undefined;
  }

  /** The split at brackets further in, where the line reads as well without brackets around its value. */
  #withoutHidden(split: Split, line: Line, omitted: ReadonlySet<Leaf>, bracketed: boolean): Split | undefined {
    if (bracketed || !this.#isHidden(split.open) || !this.#canOmit(split)) return split;
    const more = new Set([split.close, ...omitted]);
    const further = this.#lastBrackets(line, more);
    if (further && this.#isBetter(further, split)) {
      const found = this.#withoutHidden(further, line, more, bracketed);
      if (found) return found;
    }
    if (!further && split.body.leaves.length < 2 && !this.#fits(split.body)) return undefined;
    return split;
  }

  #isBetter({ head }: Split, split: Split): boolean {
    const own = split.head.leaves;
    if (own.at(-2)?.text !== '=') return true;
    if (!own.slice(0, -1).some(({ text }) => /[[({]/.test(text))) return true;
    if (this.#text(split.head).length > lineLength - 1) return true;
    const at = head.leaves.findIndex(({ text }) => text === '=');
    return head.leaves.slice(at + 1).some(({ bracket }) => bracket === 'close') || (at >= 0 && this.#fits(head));
  }

  /** Whether a value can be broken without brackets around it. */
  #canOmit({ body }: Split): boolean {
    const { leaves } = body;
    const delimiters = [...delimitersOf(leaves).values()];
    if (delimiters.length === 0) return true;
    const highest = Math.max(...delimiters);
    if (delimiters.filter((one) => one === highest).length > 1) return false;
    if (highest === priority.dot) return true;
    const [first, second] = leaves;
    if (first?.bracket === 'open' && second?.bracket !== 'close' && this.#restFits(body, first)) return true;
    const last = leaves.at(-1);
    const opens = last && this.#pairs.get(last);
    const isIndex = last?.text === ']' && opens?.display !== true;
    if (last?.bracket !== 'close' || isIndex || !opens) return false;
    if (leaves.at(-2)?.bracket === 'open') return false;
    let length = 4 * body.depth;
    let hasOthers = false;
    for (const leaf of leaves) {
      length += this.#width(leaf);
      if (leaf === opens) return hasOthers || length <= lineLength;
      if (leaf.bracket === 'open') hasOthers = true;
    }
    return false;
  }

  /** Whether what follows the brackets at the start of a value fits in one line, up to the next bracket. */
  #restFits({ leaves, depth }: Line, first: Leaf): boolean {
    let isRest = false;
    let length = 4 * depth;
    for (const leaf of leaves) {
      if (leaf.bracket === 'close' && this.#pairs.get(leaf) === first) isRest = true;
      if (!isRest) continue;
      length += this.#width(leaf);
      if (length > lineLength) return false;
      if (leaf.bracket === 'open') isRest = false;
    }
    return true;
  }
}

function partsOf({ head, body, tail }: Split): readonly Line[] {
  return [head, body, tail].filter(({ leaves }) => leaves.length > 0);
}

/** The delimiters of a line outside of brackets, with their priorities. */
function delimitersOf(leaves: readonly Leaf[]): ReadonlyMap<Leaf, number> {
  const found = new Map<Leaf, number>();
  let depth = 0;
  for (const [i, leaf] of leaves.entries()) {
    if (leaf.bracket === 'close') depth--;
    const isFirst = i === 0 && leaf.text !== ',';
    if (depth === 0 && leaf.delimiter !== undefined && !isFirst) found.set(leaf, leaf.delimiter);
    if (leaf.bracket === 'open') depth++;
  }
  return found;
}

function hasCommas(leaves: readonly Leaf[]): boolean {
  const delimiters = delimitersOf(leaves);
  const highest = Math.max(0, ...delimiters.values());
  return highest === priority.comma && [...delimiters.keys()].some((leaf) => leaf !== leaves.at(-1));
}

/** The hidden brackets of a line that are in no other brackets. */
function hiddenAround(leaves: readonly Leaf[]): readonly Leaf[] {
  const found: Leaf[] = [];
  let depth = 0;
  for (const leaf of leaves) {
    if (leaf.bracket === 'close') depth--;
    if (leaf.hidden && leaf.bracket === 'open' && depth === 0) found.push(leaf);
    if (leaf.bracket === 'open') depth++;
  }
  return found;
}
