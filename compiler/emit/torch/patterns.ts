import type { GroupAxis, PatternAxis, Side } from '../../elaborate/patterns/pattern.ts';
import { atom, attribute, call, method, number, type Py, subscript, tuple } from './python/tree.ts';

/** What keeps a pattern from being written; the text completes "cannot …". */
export interface Unwritable {
  readonly refused: string;
}

export interface Arranged {
  readonly py: Py;
  readonly rank: number | undefined;
}

type Sizes = ReadonlyMap<string, Py>;
type Reduction = 'mean' | 'sum' | 'amax';

interface Axes {
  py: Py;
  /** Names of the axes from left to right; `1` for an axis of size 1, `...` for all axes without a name. */
  names: string[];
}

/**
 * Writes `left -> right` as methods of a tensor: splits groups, takes axes of size 1 away, reduces, permutes, repeats,
 * merges groups, and adds axes of size 1.
 */
export function arranged(
  x: Py,
  left: Side,
  right: Side,
  sizes: Sizes,
  reduction: Reduction | undefined,
): Arranged | Unwritable {
  const axes: Axes = { py: x, names: left.axes.map(nameOf) };
  for (let i = left.axes.length - 1; i >= 0; i--) {
    const axis = left.axes[i];
    if (axis?.kind !== 'group') continue;
    const split = splitGroup(axes, i, axis, sizes);
    if (split) return split;
  }
  const wanted = right.axes.flatMap((axis) => (axis.kind === 'group' ? axis.items.map(nameOf) : [nameOf(axis)]));
  const kept = wanted.filter((name) => name !== '1');
  const gone = axes.names.filter((name) => name !== '1' && !kept.includes(name));
  const added = kept.filter((name) => !axes.names.includes(name));
  if (reduction && gone.length > 0) {
    const keeps =
      added.length === 0 &&
      !right.axes.some(({ kind }) => kind === 'group') &&
      wanted.length === axes.names.length &&
      axes.names.every((name, i) => (gone.includes(name) || name === '1' ? wanted[i] === '1' : wanted[i] === name));
    const all = gone.length === axes.names.length && wanted.length === 0;
    const places = gone.map((name) => number(placeOf(axes.names, axes.names.indexOf(name))));
    const [only, second] = places;
    const dim = all || !only ? [] : [second ? tuple(places) : only];
    axes.py = method(axes.py, reduction, dim, keeps ? { keepdim: { kind: 'atom', text: 'True' } } : {});
    if (keeps) return { py: axes.py, rank: rankOf(wanted) };
    axes.names = axes.names.filter((name) => !gone.includes(name));
  } else if (gone.length > 0) return { refused: `drop the axes ${gone.join(', ')}` };
  const ones = axes.names.flatMap((name, i) => (name === '1' ? [i] : []));
  for (const i of ones.reverse()) {
    axes.py = method(axes.py, 'squeeze', [number(placeOf(axes.names, i))]);
    axes.names.splice(i, 1);
  }
  const order = kept.filter((name) => !added.includes(name));
  const moved = permute(
    axes,
    order,
    left.axes.some(({ kind }) => kind === 'group'),
  );
  if (moved) return moved;
  if (added.length > 0) {
    const repeated = repeat(axes, kept, added, sizes);
    if (repeated) return repeated;
  }
  return finished(axes, right);
}

/** Merges groups from the right, and adds the axes of size 1. */
function finished(axes: Axes, right: Side): Arranged | Unwritable {
  let at = 0;
  const places = right.axes.map((axis) => {
    const start = at;
    at += axis.kind === 'group' ? axis.items.filter(({ kind }) => kind !== 'one').length : axis.kind === 'one' ? 0 : 1;
    return { axis, start, count: at - start };
  });
  for (const { axis, start, count } of [...places].reverse()) {
    if (axis.kind !== 'group') continue;
    if (axis.items.some(({ kind }) => kind === 'rest')) return { refused: 'merge axes without names' };
    if (count > 1) {
      const first = placeOf(axes.names, start);
      const last = placeOf(axes.names, start + count - 1);
      axes.py = method(axes.py, 'flatten', [number(first), number(last)]);
      axes.names.splice(start, count, axes.names.slice(start, start + count).join(' '));
    } else if (count === 0) axes.names.splice(start, 0, '1');
  }
  const names = right.axes.map((axis) =>
    axis.kind === 'one' || (axis.kind === 'group' && axis.items.every(({ kind }) => kind === 'one'))
      ? '1'
      : nameOf(axis),
  );
  axes.py = withOnes(axes.py, names);
  return { py: axes.py, rank: rankOf(names) };
}

/** Adds axes of size 1: two or more by an index, `x[:, None, None]`. */
function withOnes(py: Py, names: readonly string[]): Py {
  const ones = names.flatMap((name, i) => (name === '1' ? [i] : []));
  if (ones.length < 2 || names.includes('...'))
    return ones.reduce((x, i) => method(x, 'unsqueeze', [number(placeOf(names, i))]), py);
  const items = names.map(
    (name): Py => (name === '1' ? atom('None') : { kind: 'slice', start: undefined, stop: undefined }),
  );
  return subscript(py, ...items.slice(0, Math.max(...ones) + 1));
}

function nameOf(axis: PatternAxis): string {
  switch (axis.kind) {
    case 'name':
      return axis.name;
    case 'one':
      return '1';
    case 'rest':
      return '...';
    case 'star':
      return '*';
    case 'group':
      return `(${axis.items.map(nameOf).join(' ')})`;
  }
}

function rankOf(names: readonly string[]): number | undefined {
  return names.includes('...') ? undefined : names.length;
}

/** The number of an axis: from the end if it stands behind `...`. */
export function placeOf(names: readonly string[], i: number): number {
  const rest = names.indexOf('...');
  return rest >= 0 && i > rest ? i - names.length : i;
}

function splitGroup(axes: Axes, i: number, group: GroupAxis, sizes: Sizes): Unwritable | undefined {
  const names = group.items.map(nameOf);
  if (names.includes('...')) return { refused: 'split axes without names' };
  if (names.length === 1) axes.names[i] = names[0] ?? '1';
  else {
    const given = names.map((name) => (name === '1' ? number(1) : sizes.get(name)));
    const parts = given.map((size) => size ?? number(-1));
    axes.py = method(axes.py, 'unflatten', [number(placeOf(axes.names, i)), tuple(parts)]);
    axes.names.splice(i, 1, ...names);
  }
  return undefined;
}

/**
 * Permutes axes. If one was split, as heads are, "b m h d -> b h d m" is two transpositions: the heads go forward, and
 * then the keys are transposed. Inductor's rules of attention ignore the numbers of a `permute`, and take `x` in
 * `x.permute(0, 2, 3, 1)` for keys of shape [b, h, m, d].
 */
function permute(axes: Axes, order: readonly string[], isSplit: boolean): Unwritable | undefined {
  const from = axes.names;
  if (from.join(' ') === order.join(' ')) return undefined;
  const moved = order.map((name) => from.indexOf(name));
  const differ = moved.flatMap((place, i) => (place === i ? [] : [i]));
  const [first, second] = differ;
  if (from.includes('...')) {
    const [front] = order;
    if (from[0] === '...' && front !== undefined && order[1] === '...' && from.length === 2)
      axes.py = method(axes.py, 'movedim', [number(-1), number(0)]);
    else if (from[1] === '...' && order[0] === '...' && from.length === 2)
      axes.py = method(axes.py, 'movedim', [number(0), number(-1)]);
    else if (
      from.indexOf('...') === order.indexOf('...') &&
      differ.length === 2 &&
      first !== undefined &&
      second !== undefined
    )
      axes.py = method(axes.py, 'transpose', [number(placeOf(from, first)), number(placeOf(from, second))]);
    else return { refused: 'permute axes without names in this way' };
  } else if (differ.length === 2 && first !== undefined && second !== undefined)
    axes.py = method(axes.py, 'transpose', [number(first), number(second)]);
  else if (isSplit && moved.join(' ') === '0 2 3 1')
    axes.py = method(method(axes.py, 'transpose', [number(1), number(2)]), 'transpose', [number(2), number(3)]);
  else axes.py = method(axes.py, 'permute', moved.map(number));
  axes.names = [...order];
  return undefined;
}

/** Adds axes that are repeated. */
function repeat(axes: Axes, kept: readonly string[], added: readonly string[], sizes: Sizes): Unwritable | undefined {
  if (kept.includes('...')) return { refused: 'repeat axes beside axes without names' };
  axes.py = withOnes(
    axes.py,
    kept.map((name) => (added.includes(name) ? '1' : name)),
  );
  const extents = kept.map((name) => (added.includes(name) ? sizes.get(name) : number(-1)));
  if (extents.some((one) => one === undefined)) return { refused: 'repeat an axis without a size' };
  axes.py = method(
    axes.py,
    'expand',
    extents.flatMap((one) => (one ? [one] : [])),
  );
  axes.names = [...kept];
  return undefined;
}

/** Writes an einsum: names become letters, and axes of size 1 are taken away before it and added behind it. */
export function einsum(operands: readonly Py[], sides: readonly Side[], result: Side): Arranged | Unwritable {
  const letters = new Map<string, string>();
  const names = [...new Set([...sides, result].flatMap((side) => side.names.map(({ name }) => name)))];
  const single = names.every((name) => name.length === 1 && /[a-z]/i.test(name));
  for (const [i, name] of names.entries())
    letters.set(name, single ? name : String.fromCharCode(i < 26 ? 97 + i : 65 + i - 26));
  if ([...sides, result].some((side) => side.hasRest || side.axes.some(({ kind }) => kind === 'group')))
    return { refused: 'write groups and `...` in an einsum' };
  const text = (side: Side) => side.names.map(({ name }) => letters.get(name) ?? '').join('');
  const squeezed = operands.map((operand, k) => {
    const axes = sides[k]?.axes ?? [];
    let py = operand;
    for (let i = axes.length - 1; i >= 0; i--) if (axes[i]?.kind === 'one') py = method(py, 'squeeze', [number(i)]);
    return py;
  });
  const equation = `${sides.map(text).join(',')}->${text(result)}`;
  let py = call(attribute({ kind: 'atom', text: 'torch' }, 'einsum'), [
    { kind: 'atom', text: `"${equation}"` },
    ...squeezed,
  ]);
  py = withOnes(py, result.axes.map(nameOf));
  return { py, rank: result.axes.length };
}
