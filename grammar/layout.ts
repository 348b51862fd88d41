/**
 * A small document algebra after Wadler ("A prettier printer", 2003): a document is text with possible line breaks,
 * and groups in which either all of them break or none.
 */
export type Layout =
  | string
  | readonly Layout[]
  | { readonly kind: 'line'; readonly flat: string; readonly hard: boolean }
  | { readonly kind: 'indent'; readonly by: number; readonly content: Layout }
  | { readonly kind: 'group'; readonly content: Layout; readonly broken: boolean }
  /** Each line break is taken only if the next item does not fit. */
  | { readonly kind: 'fill'; readonly items: readonly Layout[]; readonly broken: boolean }
  /** Printed only if the enclosing group is broken. */
  | { readonly kind: 'if-broken'; readonly content: string }
  /** A comment at the end of the line: its width is not counted, and the line breaks after it. */
  | { readonly kind: 'suffix'; readonly text: string };

/** A space, or a line break if its group breaks. */
export const line: Layout = { kind: 'line', flat: ' ', hard: false };
/** Nothing, or a line break if its group breaks. */
export const softline: Layout = { kind: 'line', flat: '', hard: false };
/** A line break that also breaks the enclosing groups. */
export const hardline: Layout = { kind: 'line', flat: '', hard: true };

export const indent = (content: Layout, by = 2): Layout => ({ kind: 'indent', by, content });
export const group = (...content: Layout[]): Layout => ({ kind: 'group', content, broken: breaks(content) });
export const fill = (items: readonly Layout[]): Layout => ({ kind: 'fill', items, broken: breaks(items) });
export const ifBroken = (content: string): Layout => ({ kind: 'if-broken', content });
export const suffix = (text: string): Layout => ({ kind: 'suffix', text });

export function separated(items: readonly Layout[], separator: Layout): Layout[] {
  return items.flatMap((item, i) => (i === 0 ? [item] : [separator, item]));
}

/** Whether a layout cannot be printed on one line. */
export function breaks(layout: Layout): boolean {
  if (typeof layout === 'string') return false;
  if (!('kind' in layout)) return layout.some(breaks);
  if (layout.kind === 'group' || layout.kind === 'fill') return layout.broken;
  if (layout.kind === 'indent') return breaks(layout.content);
  return layout.kind === 'suffix' || (layout.kind === 'line' && layout.hard);
}

interface Work {
  readonly indent: number;
  readonly flat: boolean;
  readonly layout: Layout;
}

/**
 * Returns the text of a layout without trailing spaces. Iterative, so that long files and chains cannot overflow the
 * stack.
 */
export function print(layout: Layout, width: number): string {
  const out: string[] = [];
  const work: Work[] = [{ indent: 0, flat: false, layout }];
  let column = 0;
  let suffixes = '';
  while (work.length > 0) {
    const { indent: at, flat, layout: next } = work.pop()!;
    if (typeof next === 'string') {
      out.push(next);
      column += next.length;
    } else if (!('kind' in next)) {
      for (let i = next.length - 1; i >= 0; i--) work.push({ indent: at, flat, layout: next[i]! });
    } else if (next.kind === 'indent') work.push({ indent: at + next.by, flat, layout: next.content });
    else if (next.kind === 'group') {
      const fitting =
        !next.broken && (flat || fits([{ indent: at, flat: true, layout: next.content }], work, width - column));
      work.push({ indent: at, flat: fitting, layout: next.content });
    } else if (next.kind === 'fill') pushFill(next.items, at, flat, work, width - column);
    else if (next.kind === 'if-broken') {
      if (flat) continue;
      out.push(next.content);
      column += next.content.length;
    } else if (next.kind === 'suffix') suffixes += ` ${next.text}`;
    else if (flat && !next.hard) {
      out.push(next.flat);
      column += next.flat.length;
    } else {
      out.push(`${suffixes}\n${' '.repeat(at)}`);
      suffixes = '';
      column = at;
    }
  }
  out.push(suffixes);
  return out.join('').replace(/[ \t]+$/gm, '');
}

/** `items` alternates content and separators. Before and behind content of several lines, separators are line breaks as well. */
function pushFill(items: readonly Layout[], indent: number, flat: boolean, work: Work[], room: number): void {
  const [first, separator, second] = items;
  if (first === undefined) return;
  if (separator === undefined || second === undefined) {
    for (const item of [...items].reverse()) work.push({ indent, flat, layout: item });
    return;
  }
  work.push({ indent, flat, layout: fill(items.slice(2)) });
  const together =
    flat || (!breaks([first, second]) && fits([{ indent, flat: true, layout: [first, separator, second] }], [], room));
  work.push({ indent, flat: together, layout: separator });
  work.push({ indent, flat, layout: first });
}

/** Whether `start` and the text after it, up to the next possible line break, fit in `room` columns. */
function fits(start: readonly Work[], rest: readonly Work[], room: number): boolean {
  const work = [...start];
  let below = rest.length;
  let left = room;
  while (left >= 0) {
    if (work.length === 0) {
      if (below === 0) return true;
      work.push(rest[--below]!);
    }
    const { indent: at, flat, layout } = work.pop()!;
    if (typeof layout === 'string') left -= layout.length;
    else if (!('kind' in layout)) {
      for (let i = layout.length - 1; i >= 0; i--) work.push({ indent: at, flat, layout: layout[i]! });
    } else if (layout.kind === 'indent') work.push({ indent: at, flat, layout: layout.content });
    else if (layout.kind === 'group') work.push({ indent: at, flat: flat && !layout.broken, layout: layout.content });
    else if (layout.kind === 'fill') work.push({ indent: at, flat: flat && !layout.broken, layout: layout.items });
    else if (layout.kind === 'if-broken') left -= flat ? 0 : layout.content.length;
    else if (layout.kind === 'line') {
      if (!flat || layout.hard) return true;
      left -= layout.flat.length;
    }
  }
  return false;
}
