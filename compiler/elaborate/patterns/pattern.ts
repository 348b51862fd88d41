import { type Place, refuse, refuseNames } from './fault.ts';

/** A named axis. `...` stands as one name until the rank is known. */
export interface NamedAxis extends Place {
  readonly kind: 'name';
  readonly name: string;
}
export interface OneAxis extends Place {
  readonly kind: 'one';
}
/** `...`: the axes that the others leave over. */
export interface RestAxes extends Place {
  readonly kind: 'rest';
}
/** `*`: the axis an operation works along. */
export interface StarAxis extends Place {
  readonly kind: 'star';
}
export interface GroupAxis extends Place {
  readonly kind: 'group';
  readonly items: readonly (NamedAxis | OneAxis | RestAxes)[];
}
export type PatternAxis = NamedAxis | OneAxis | RestAxes | StarAxis | GroupAxis;

/** What stands on one side of the arrow for one tensor. */
export interface Side extends Place {
  readonly axes: readonly PatternAxis[];
  /** The names among them, groups opened, in order. */
  readonly names: readonly NamedAxis[];
  /** The names of each axis; `...` has none. */
  readonly perAxis: readonly (readonly string[])[];
  /** Whether `...` is among the axes, or in a group. */
  readonly hasRest: boolean;
}

export function sideOf(axes: readonly PatternAxis[], { at, length }: Place): Side {
  const names: NamedAxis[] = [];
  const perAxis: (readonly string[])[] = [];
  let hasRest = false;
  for (const axis of axes) {
    const own: string[] = [];
    for (const one of opened(axis)) {
      if (one.kind === 'name') {
        names.push(one);
        own.push(one.name);
      } else if (one.kind === 'rest') hasRest = true;
    }
    perAxis.push(own);
  }
  checkNames(axes.flatMap(opened));
  return { axes, names, perAxis, hasRest, at, length };
}

/** `left -> right`, and the names that only one side has. */
export interface Arrow {
  readonly left: Side;
  readonly right: Side;
  readonly removed: readonly NamedAxis[];
  readonly added: readonly NamedAxis[];
}

/** `a, b -> result`. */
export interface Einsum {
  readonly operands: readonly Side[];
  readonly result: Side;
}

// Patterns that were read, by their text: a library has few, and each is used in every block of a model.
const arrows = new Map<string, Arrow>();
const einsums = new Map<string, Einsum>();

export function parseArrow(text: string): Arrow {
  let arrow = arrows.get(text);
  if (arrow === undefined) {
    arrow = readArrow(text);
    arrows.set(text, arrow);
  }
  return arrow;
}

export function parseEinsum(text: string): Einsum {
  let einsum = einsums.get(text);
  if (einsum === undefined) {
    einsum = readEinsum(text);
    einsums.set(text, einsum);
  }
  return einsum;
}

function readArrow(text: string): Arrow {
  const { operands, result: right } = readEinsum(text);
  const [left, second] = operands;
  if (second !== undefined) {
    const at = text.indexOf(',');
    refuse({ kind: 'syntax', message: 'only `einsum` takes several operands', at, length: 1 });
  }
  const removed = left.names.filter(({ name }) => !hasName(right, name));
  return { left, right, removed, added: right.names.filter(({ name }) => !hasName(left, name)) };
}

function readEinsum(text: string) {
  const reader = new Reader(text);
  const operands: [Side, ...Side[]] = [reader.side()];
  while (reader.take(',')) operands.push(reader.side());
  if (!reader.take('->')) reader.fail('expected `->`');
  const result = reader.side();
  reader.end();
  for (const side of [...operands, result]) {
    for (const axis of side.axes) if (axis.kind === 'star') refuseStar(axis);
  }
  return { operands, result };
}

const sides = new Map<string, Side>();

/** Axes of one tensor without an arrow: `b * d` with one star, `b h w c` with none. */
export function parseAxes(text: string, star: boolean): Side {
  const key = star ? `*: ${text}` : text;
  let side = sides.get(key);
  if (side === undefined) {
    side = readAxes(text, star);
    sides.set(key, side);
  }
  return side;
}

function readAxes(text: string, star: boolean): Side {
  const reader = new Reader(text);
  const side = reader.side();
  reader.end();
  const stars = side.axes.filter((axis) => axis.kind === 'star');
  for (const axis of side.axes)
    if (axis.kind === 'group') refuse({ kind: 'syntax', message: 'no groups here', at: axis.at, length: axis.length });
  if (!star && stars[0] !== undefined) refuseStar(stars[0]);
  if (star && stars.length === 0)
    refuse({ kind: 'syntax', message: 'mark the axis with `*`', at: 0, length: text.length });
  if (stars[1] !== undefined)
    refuse({ kind: 'syntax', message: 'only one axis can be marked with `*`', at: stars[1].at, length: 1 });
  return side;
}

function refuseStar({ at, length }: Place): never {
  refuse({ kind: 'syntax', message: '`*` has no meaning here', at, length });
}

function opened(axis: PatternAxis): readonly PatternAxis[] {
  return axis.kind === 'group' ? axis.items : [axis];
}

/** Whether the side has an axis of that name. */
export function hasName(side: Side, name: string): boolean {
  const { names } = side;
  for (let i = 0; i < names.length; i++) if (names[i]!.name === name) return true;
  return false;
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

  fail(message: string): never {
    refuse({ kind: 'syntax', message, at: this.at, length: this.next.length });
  }

  take(expected: string): boolean {
    if (this.next !== expected) return false;
    this.advance(this.at + expected.length);
    return true;
  }

  end(): void {
    if (this.next !== '') this.fail(`\`${this.next}\` is not expected here`);
  }

  side(): Side {
    const start = this.at;
    const axes: PatternAxis[] = [];
    while (this.next !== '' && this.next !== '->' && this.next !== ',') axes.push(this.axis());
    const last = axes.at(-1);
    return sideOf(axes, { at: start, length: last === undefined ? 0 : last.at + last.length - start });
  }

  private axis(): PatternAxis {
    const at = this.at;
    if (this.take('*')) return { kind: 'star', at, length: 1 };
    if (!this.take('(')) return this.single();
    const items: (NamedAxis | OneAxis | RestAxes)[] = [];
    while (!this.take(')')) {
      if (['', '->', ','].includes(this.next))
        refuse({ kind: 'syntax', message: 'this group is not closed', at, length: 1 });
      if (this.next === '(') this.fail('groups do not nest');
      items.push(this.single());
    }
    // The closing parenthesis is the last character before the current token that is not a space.
    const length = this.text.slice(0, this.at).trimEnd().length - at;
    if (items.length === 0) refuse({ kind: 'syntax', message: 'the group is empty: write `1`', at, length });
    return { kind: 'group', items, at, length };
  }

  private single(): NamedAxis | OneAxis | RestAxes {
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
    if (/^[0-9]/.test(next))
      return this.fail(`only the size 1 can be written as a number: name the axis and give its size, \`n = ${next}\``);
    if (/^[A-Z]/.test(next)) return this.fail('names of axes are lower-case');
    return this.fail(`\`${next}\` is not expected here`);
  }
}

function checkNames(axes: readonly PatternAxis[]): void {
  const seen = new Set<string>();
  for (const axis of axes) {
    const name = axis.kind === 'name' ? axis.name : axis.kind === 'rest' ? '...' : undefined;
    if (name === undefined) continue;
    if (seen.has(name)) refuseNames(`\`${name}\` stands twice`, axis);
    seen.add(name);
  }
}
