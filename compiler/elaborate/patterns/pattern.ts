import { isRefused, type PatternResult, type Place, type Refused, refuseNames, refuseSyntax } from './fault.ts';

/** A named axis. */
export interface NamedAxis extends Place {
  readonly kind: 'name';
  readonly name: string;
}
export interface OneAxis extends Place {
  readonly kind: 'one';
}
/** `...`: all axes that are not named. */
export interface RestAxes extends Place {
  readonly kind: 'rest';
}
/** `*`: the axis that an operation applies to. */
export interface StarAxis extends Place {
  readonly kind: 'star';
}
export interface GroupAxis extends Place {
  readonly kind: 'group';
  readonly items: readonly (NamedAxis | OneAxis | RestAxes)[];
}
export type PlainAxis = NamedAxis | OneAxis | RestAxes | StarAxis;
export type PatternAxis = PlainAxis | GroupAxis;

/** The names that make up one axis of a tensor (none for size 1), and their position. */
export interface OpenAxis {
  readonly names: readonly string[];
  readonly place: Place;
}

/** The pattern of one tensor, on one side of the arrow. */
export interface Side extends Place {
  readonly axes: readonly PatternAxis[];
  /** All names, including those in groups, in order. */
  readonly names: readonly NamedAxis[];
  /** The names of each axis; none for `...`. */
  readonly opened: readonly OpenAxis[];
  /** Whether `...` is one of the axes or in a group. */
  readonly hasRest: boolean;
}

/** A side without groups, as in a pattern without an arrow. */
export interface AxisList extends Side {
  readonly axes: readonly PlainAxis[];
}

/** An axis list with one axis marked by `*`. */
export interface StarredList extends AxisList {
  /** The index of the marked axis. */
  readonly star: number;
}

export function sideOf(axes: readonly PatternAxis[], place: Place): PatternResult<Side> {
  return repeated(axes.flatMap(itemsOf)) ?? sideWith(axes, place);
}

function sideWith(axes: readonly PatternAxis[], { at, length }: Place): Side {
  const names: NamedAxis[] = [];
  const opened: OpenAxis[] = [];
  let hasRest = false;
  for (const axis of axes) {
    const own: string[] = [];
    for (const one of itemsOf(axis)) {
      if (one.kind === 'name') {
        names.push(one);
        own.push(one.name);
      } else if (one.kind === 'rest') hasRest = true;
    }
    opened.push({ names: own, place: axis });
  }
  return { axes, names, opened, hasRest, at, length };
}

/** `left -> right`, with the names that occur on one side only. */
export interface Arrow {
  readonly left: Side;
  readonly right: Side;
  readonly removed: readonly NamedAxis[];
  readonly added: readonly NamedAxis[];
}

/** `a, b -> result`. */
export interface Einsum {
  readonly operands: readonly [Side, ...Side[]];
  readonly result: Side;
}

export function parseArrow(text: string): PatternResult<Arrow> {
  const read = parseEinsum(text);
  if (isRefused(read)) return read;
  const { operands, result: right } = read;
  const [left, second] = operands;
  if (second !== undefined) {
    return refuseSyntax('only `einsum` takes several operands', { at: text.indexOf(','), length: 1 });
  }
  const removed = left.names.filter(({ name }) => !hasName(right, name));
  return { left, right, removed, added: right.names.filter(({ name }) => !hasName(left, name)) };
}

export function parseEinsum(text: string): PatternResult<Einsum> {
  const reader = new Reader(text);
  const first = reader.side();
  if (isRefused(first)) return first;
  const operands: [Side, ...Side[]] = [first];
  while (reader.take(',')) {
    const side = reader.side();
    if (isRefused(side)) return side;
    operands.push(side);
  }
  if (!reader.take('->')) return reader.refuse('expected `->`');
  const result = reader.side();
  if (isRefused(result)) return result;
  const left = reader.left();
  if (left) return left;
  for (const side of [...operands, result]) {
    const star = side.axes.find((axis) => axis.kind === 'star');
    if (star) return refuseStar(star);
  }
  return { operands, result };
}

/** Parses the axes of one tensor, without an arrow or a star: `b h w c`. */
export function parseAxes(text: string): PatternResult<AxisList> {
  const list = parseList(text);
  if (isRefused(list)) return list;
  const star = list.axes.find(({ kind }) => kind === 'star');
  return star ? refuseStar(star) : list;
}

/** Parses the axes of one tensor, one of them marked: `b * d`. */
export function parseStarred(text: string): PatternResult<StarredList> {
  const list = parseList(text);
  if (isRefused(list)) return list;
  const star = list.axes.findIndex(({ kind }) => kind === 'star');
  if (star < 0) return refuseSyntax('mark the axis with `*`', { at: 0, length: text.length });
  const second = list.axes.slice(star + 1).find(({ kind }) => kind === 'star');
  if (second) return refuseSyntax('only one axis can be marked with `*`', second);
  return { ...list, star };
}

function parseList(text: string): PatternResult<AxisList> {
  const reader = new Reader(text);
  const side = reader.side();
  if (isRefused(side)) return side;
  const left = reader.left();
  if (left) return left;
  const group = side.axes.find((axis) => axis.kind === 'group');
  if (group) return refuseSyntax('no groups here', group);
  return { ...side, axes: side.axes.filter((axis) => axis.kind !== 'group') };
}

function refuseStar(star: Place): Refused {
  return refuseSyntax('`*` has no meaning here', star);
}

function itemsOf(axis: PatternAxis): readonly PatternAxis[] {
  return axis.kind === 'group' ? axis.items : [axis];
}

/** Whether the side has an axis of that name. */
export function hasName(side: Side, name: string): boolean {
  return side.names.some((axis) => axis.name === name);
}

const token = /\s*(->|\.\.\.|[(),*]|[A-Za-z_][A-Za-z0-9_]*|[0-9]+|\S)?/y;

class Reader {
  private readonly text: string;
  private at = 0;
  private next = '';

  constructor(text: string) {
    this.text = text;
    this.advance(0);
  }

  private advance(from: number): void {
    token.lastIndex = from;
    this.next = token.exec(this.text)?.[1] ?? '';
    this.at = token.lastIndex - this.next.length;
  }

  /** Refuses the next token. */
  refuse(message: string): Refused {
    return refuseSyntax(message, { at: this.at, length: this.next.length });
  }

  take(expected: string): boolean {
    if (this.next !== expected) return false;
    this.advance(this.at + expected.length);
    return true;
  }

  /** Refuses the rest of the text, if there is any. */
  left(): Refused | undefined {
    return this.next === '' ? undefined : this.refuse(`\`${this.next}\` is not expected here`);
  }

  side(): PatternResult<Side> {
    const start = this.at;
    const axes: PatternAxis[] = [];
    while (this.next !== '' && this.next !== '->' && this.next !== ',') {
      const axis = this.axis();
      if (isRefused(axis)) return axis;
      axes.push(axis);
    }
    const last = axes.at(-1);
    return sideOf(axes, { at: start, length: last === undefined ? 0 : last.at + last.length - start });
  }

  private axis(): PatternResult<PatternAxis> {
    const at = this.at;
    if (this.take('*')) return { kind: 'star', at, length: 1 };
    if (!this.take('(')) return this.single();
    const items: GroupAxis['items'][number][] = [];
    while (!this.take(')')) {
      if (['', '->', ','].includes(this.next)) return refuseSyntax('this group is not closed', { at, length: 1 });
      if (this.next === '(') return this.refuse('groups do not nest');
      const item = this.single();
      if (isRefused(item)) return item;
      items.push(item);
    }
    // The closing parenthesis is the last character before the current token that is not a space.
    const length = this.text.slice(0, this.at).trimEnd().length - at;
    if (items.length === 0) return refuseSyntax('the group is empty: write `1`', { at, length });
    return { kind: 'group', items, at, length };
  }

  private single(): PatternResult<GroupAxis['items'][number]> {
    const { at, next } = this;
    const length = next.length;
    if (this.take('...')) return { kind: 'rest', at, length };
    if (/^[a-z_]/.test(next)) {
      this.take(next);
      return { kind: 'name', name: next, at, length };
    }
    if (next === '1') {
      this.take(next);
      return { kind: 'one', at, length };
    }
    if (/^[0-9]/.test(next)) {
      return this.refuse(
        `only the size 1 can be written as a number: name the axis and give its size, \`n = ${next}\``,
      );
    }
    if (/^[A-Z]/.test(next)) return this.refuse('names of axes are lower-case');
    return this.refuse(`\`${next}\` is not expected here`);
  }
}

/** Refuses the first duplicate name, if there is one. */
function repeated(axes: readonly PatternAxis[]): Refused | undefined {
  const seen = new Set<string>();
  for (const axis of axes) {
    const name = axis.kind === 'name' ? axis.name : axis.kind === 'rest' ? '...' : undefined;
    if (name === undefined) continue;
    if (seen.has(name)) return refuseNames(`\`${name}\` stands twice`, axis);
    seen.add(name);
  }
  return undefined;
}
