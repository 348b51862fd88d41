import { asConstant, constant, type Dim, one, product } from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import { sameDim } from '../../ir/shapes.ts';
import { type AxisOf, owed, type Place, proveAtMost, proveEqual, refuse, refuseNames } from './fault.ts';
import { type GroupAxis, hasName, type Side } from './pattern.ts';
import { provedQuotient } from './quotient.ts';

/** An elementary axis: one name, or one of the axes of `...`. */
export interface Axis {
  readonly name: string;
  readonly size: Dim;
}

export type Sizes = ReadonlyMap<string, Dim>;

/** A side with `...` opened into names of its own: a list of names for each axis of the tensor, empty for the size 1. */
export interface OpenSide {
  readonly side: Side;
  readonly axes: readonly (readonly string[])[];
  /** The pattern's place for each axis of the tensor; the axes of `...` share one. */
  readonly places: readonly Place[];
}

/** Hidden names of the axes of `...`. */
export const restName = (i: number): string => `...${i}`;

/** How many axes `...` stands for in a tensor of the given rank. */
export function restCount(side: Side, rank: number, operand: string): number {
  const has = side.hasRest;
  let others = 0;
  for (let i = 0; i < side.axes.length; i++) {
    const axis = side.axes[i]!;
    if (axis.kind !== 'rest') others++;
    const rest = has && axis.kind === 'group' ? axis.items.find((item) => item.kind === 'rest') : undefined;
    if (rest) {
      refuse({ kind: 'syntax', message: '`...` cannot be taken out of a group', at: rest.at, length: rest.length });
    }
  }
  if (has ? rank < others : rank !== others) {
    const least = has ? 'at least ' : '';
    refuse({ kind: 'rank', message: `the pattern names ${least}${axesOf(others)}, ${operand} has ${axesOf(rank)}` });
  }
  return rank - others;
}

function axesOf(n: number): string {
  return n === 1 ? '1 axis' : `${n} axes`;
}

/** `rest` is the number of axes that `...` stands for. */
export function open(side: Side, rest: number): OpenSide {
  if (!side.hasRest) return { side, axes: side.perAxis, places: side.axes };
  const restNames = Array.from({ length: rest }, (_, i) => restName(i));
  const axes: (readonly string[])[] = [];
  const places: Place[] = [];
  for (const axis of side.axes) {
    if (axis.kind === 'rest') {
      for (const name of restNames) {
        axes.push([name]);
        places.push(axis);
      }
      continue;
    }
    if (axis.kind === 'group') axes.push(axis.items.flatMap((item) => namesOf(item, restNames)));
    else axes.push(axis.kind === 'name' ? [axis.name] : []);
    places.push(axis);
  }
  return { side, axes, places };
}

function namesOf(item: GroupAxis['items'][number], restNames: readonly string[]): readonly string[] {
  return item.kind === 'name' ? [item.name] : item.kind === 'rest' ? restNames : [];
}

/** A size that is given by keyword stands for an axis of the pattern and is at least 1. */
export function checkGiven(facts: Facts, sides: readonly Side[], given: Sizes, pattern: string): void {
  for (const [name, size] of given) {
    if (!sides.some((side) => hasName(side, name)))
      refuseNames(`the pattern has no axis \`${name}\``, { at: 0, length: pattern.length });
    proveAtMost(facts, one, size, `the size of \`${name}\` must be at least 1`, { input: -1, axis: -1 });
  }
}

/**
 * The size of every name of the operands: what is given by keyword, then axes that are named bare in
 * any operand, then what is left of each group. Proves that they agree with the shapes.
 */
export function resolve(
  facts: Facts,
  operands: readonly OpenSide[],
  shapes: readonly (readonly Dim[])[],
  given: Sizes,
): Map<string, Dim> {
  const sizes = new Map(given);
  for (let input = 0; input < operands.length; input++) {
    const { axes } = operands[input]!;
    for (let axis = 0; axis < axes.length; axis++) {
      const names = axes[axis]!;
      const name = names[0];
      const dim = shapes[input]![axis]!;
      if (name === undefined) {
        proveEqual(facts, dim, one, 'an axis that is written `1` has another size', { input, axis });
      } else if (names.length === 1) {
        const known = sizes.get(name);
        if (known === undefined) sizes.set(name, dim);
        else if (known.key !== dim.key) proveEqual(facts, known, dim, `${shown(name)} has two sizes`, { input, axis });
      }
    }
  }
  for (let input = 0; input < operands.length; input++) {
    const { axes, places } = operands[input]!;
    for (let axis = 0; axis < axes.length; axis++) {
      const names = axes[axis]!;
      if (names.length > 1) resolveGroup(facts, sizes, names, shapes[input]![axis]!, { input, axis }, places[axis]!);
    }
  }
  return sizes;
}

function shown(name: string): string {
  return name.startsWith('...') ? 'an axis of `...`' : `the axis \`${name}\``;
}

function resolveGroup(
  facts: Facts,
  sizes: Map<string, Dim>,
  names: readonly string[],
  dim: Dim,
  of: AxisOf,
  place: Place,
): void {
  const unknown = names.filter((name) => !sizes.has(name));
  const known = product(names.flatMap((name) => sizes.get(name) ?? []));
  const name = unknown[0];
  const second = unknown[1];
  const group = () => `\`(${names.join(' ')})\``;
  if (name === undefined) {
    if (dim.key !== known.key) proveEqual(facts, dim, known, `the sizes of ${group()} do not multiply to its axis`, of);
    return;
  }
  if (second !== undefined) {
    refuseNames(
      `the sizes of \`${name}\` and \`${second}\` are both unknown: give one of them, \`${second} = …\``,
      place,
    );
  }
  const quotient = provedQuotient(facts, dim, known);
  if (quotient !== undefined) {
    sizes.set(name, quotient);
    return;
  }
  const message = `the axis of ${group()} is not a multiple of the sizes that are given`;
  const by = asConstant(known) ?? asConstant(facts.normalize(known));
  if (by !== undefined && by >= 1) {
    owed(facts.divides(by, dim), { message, left: dim, right: constant(by), relation: '%' }, of);
    throw new Error(`bug in crobc: ${by} divides ${facts.show(dim)} and there is no quotient`);
  }
  const help = `give every size of ${group()}, \`${name} = …\` too`;
  refuse({ kind: 'dims', message, left: dim, right: known, relation: '%', ...of, help });
}

/** The tensor axes of a side, groups multiplied out. */
export function mergedShape(side: OpenSide, sizes: Sizes): Dim[] {
  return side.axes.map((names) => product(names.map((name) => sizeOf(sizes, name))));
}

/** The elementary axes of a side. */
export function elementary(side: OpenSide, sizes: Sizes): Axis[] {
  return side.axes.flat().map((name) => ({ name, size: sizeOf(sizes, name) }));
}

function sizeOf(sizes: Sizes, name: string): Dim {
  const size = sizes.get(name);
  if (size === undefined) throw new Error(`bug in crobc: the size of axis ${name} is not resolved`);
  return size;
}

export function isOne(facts: Facts, size: Dim): boolean {
  return sameDim(facts, size, one);
}
