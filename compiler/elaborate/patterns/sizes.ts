import { asConstant, constant, type Dim, one, product } from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import { sameDim } from '../../ir/shapes.ts';
import {
  type AxisOf,
  owed,
  type PatternResult,
  type Place,
  proveAtMost,
  proveEqual,
  type Refused,
  refuse,
  refuseNames,
  refuseSyntax,
} from './fault.ts';
import { type GroupAxis, hasName, type OpenAxis, type Side } from './pattern.ts';
import { provedQuotient } from './quotient.ts';

/** An elementary axis: one name, or one of the axes of `...`. */
export interface Axis {
  readonly name: string;
  readonly size: Dim;
}

export type Sizes = ReadonlyMap<string, Dim>;

/**
 * A side with `...` expanded to separate names: one entry for each axis of the tensor. The axes of `...` share a
 * position.
 */
export interface OpenSide {
  readonly side: Side;
  readonly axes: readonly OpenAxis[];
}

/** A tensor's shape, and its side of the pattern. */
export interface Measured {
  readonly side: OpenSide;
  readonly shape: readonly Dim[];
}

/** Internal names for the axes of `...`. */
export const restName = (i: number): string => `...${i}`;

/** The number of axes of `...` in a tensor of the given rank. */
export function restCount(
  { axes, hasRest }: Pick<Side, 'axes' | 'hasRest'>,
  rank: number,
  operand: string,
): PatternResult<number> {
  let others = 0;
  for (const axis of axes) {
    if (axis.kind !== 'rest') others++;
    const rest = hasRest && axis.kind === 'group' ? axis.items.find((item) => item.kind === 'rest') : undefined;
    if (rest) return refuseSyntax('`...` cannot be taken out of a group', rest);
  }
  if (hasRest ? rank < others : rank !== others) {
    const least = hasRest ? 'at least ' : '';
    const message = `the pattern names ${least}${axesOf(others)}, ${operand} has ${axesOf(rank)}`;
    return refuse({ kind: 'rank', message });
  }
  return rank - others;
}

function axesOf(n: number): string {
  return n === 1 ? '1 axis' : `${n} axes`;
}

/** Expands `...` to `rest` axes. */
export function open(side: Side, rest: number): OpenSide {
  if (!side.hasRest) return { side, axes: side.opened };
  const restNames = Array.from({ length: rest }, (_, i) => restName(i));
  const axes = side.axes.flatMap((axis): readonly OpenAxis[] => {
    if (axis.kind === 'rest') return restNames.map((name) => ({ names: [name], place: axis }));
    if (axis.kind === 'group') return [{ names: axis.items.flatMap((item) => namesOf(item, restNames)), place: axis }];
    return [{ names: axis.kind === 'name' ? [axis.name] : [], place: axis }];
  });
  return { side, axes };
}

function namesOf(item: GroupAxis['items'][number], restNames: readonly string[]): readonly string[] {
  return item.kind === 'name' ? [item.name] : item.kind === 'rest' ? restNames : [];
}

/** Checks that each size given by keyword belongs to an axis of the pattern and is at least 1. */
export function checkGiven(facts: Facts, sides: readonly Side[], given: Sizes, pattern: string): Refused | undefined {
  for (const [name, size] of given) {
    if (!sides.some((side) => hasName(side, name))) return refuseUnknown(name, pattern);
    const message = `the size of \`${name}\` must be at least 1`;
    const refused = proveAtMost(facts, one, size, message, { input: -1, axis: -1 });
    if (refused) return refused;
  }
  return undefined;
}

/** Refuses a keyword that is not an axis of the pattern. */
export function refuseUnknown(name: string, pattern: string): Refused {
  return refuseNames(`the pattern has no axis \`${name}\``, { at: 0, length: pattern.length });
}

/**
 * Determines the size of every name of the operands: sizes given by keyword first, then axes that are a single name
 * in any operand, then the remaining size of each group. Proves that they agree with the shapes.
 */
export function resolve(facts: Facts, operands: readonly Measured[], given: Sizes): PatternResult<Sizes> {
  const sizes = new Map(given);
  return resolvePass(facts, operands, sizes, false) ?? resolvePass(facts, operands, sizes, true) ?? sizes;
}

/**
 * Resolves either the groups of several names or all other axes. Indexed loops, since every pattern of a model is
 * resolved here.
 */
function resolvePass(
  facts: Facts,
  operands: readonly Measured[],
  sizes: Map<string, Dim>,
  groups: boolean,
): Refused | undefined {
  for (let input = 0; input < operands.length; input++) {
    const operand = operands[input];
    if (!operand) continue;
    const { side, shape } = operand;
    for (let axis = 0; axis < side.axes.length; axis++) {
      const [written, size] = [side.axes[axis], shape[axis]];
      if (!written || !size || written.names.length > 1 !== groups) continue;
      const { names, place } = written;
      const at = { input, axis };
      const refused = groups
        ? resolveGroup(facts, sizes, names, size, at, place)
        : resolveBare(facts, sizes, names[0], size, at);
      if (refused) return refused;
    }
  }
  return undefined;
}

/** Resolves an axis with one name or none. */
function resolveBare(
  facts: Facts,
  sizes: Map<string, Dim>,
  name: string | undefined,
  size: Dim,
  of: AxisOf,
): Refused | undefined {
  if (name === undefined) return proveEqual(facts, size, one, 'an axis that is written `1` has another size', of);
  const known = sizes.get(name);
  if (known !== undefined) return proveEqual(facts, known, size, `${shown(name)} has two sizes`, of);
  sizes.set(name, size);
  return undefined;
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
): Refused | undefined {
  const [name, second] = names.filter((name) => !sizes.has(name));
  const known = product(names.flatMap((name) => sizes.get(name) ?? []));
  const group = () => `\`(${names.join(' ')})\``;
  if (name === undefined) {
    if (dim.key === known.key) return undefined;
    return proveEqual(facts, dim, known, `the sizes of ${group()} do not multiply to its axis`, of);
  }
  if (second !== undefined) {
    return refuseNames(
      `the sizes of \`${name}\` and \`${second}\` are both unknown: give one of them, \`${second} = …\``,
      place,
    );
  }
  const quotient = provedQuotient(facts, dim, known);
  if (quotient !== undefined) {
    sizes.set(name, quotient);
    return undefined;
  }
  const message = `the axis of ${group()} is not a multiple of the sizes that are given`;
  const by = asConstant(known) ?? asConstant(facts.normalize(known));
  if (by !== undefined && by >= 1) {
    const refused = owed(facts.divides(by, dim), { message, left: dim, right: constant(by), relation: '%' }, of);
    if (refused) return refused;
    throw new Error(`bug in crobc: ${by} divides ${facts.show(dim)} and there is no quotient`);
  }
  const help = `give every size of ${group()}, \`${name} = …\` too`;
  return refuse({ kind: 'dims', message, left: dim, right: known, relation: '%', ...of, help });
}

/** The shape of a side's tensor: the size of a group is the product of its names. */
export function mergedShape(side: OpenSide, sizes: Sizes): Dim[] {
  return side.axes.map(({ names }) => product(names.map((name) => sizeOf(sizes, name))));
}

/** The names of all axes of a side, in order. */
export function namesOn({ axes }: OpenSide): readonly string[] {
  return axes.flatMap(({ names }) => names);
}

/** The elementary axes of a side. */
export function elementary(side: OpenSide, sizes: Sizes): Axis[] {
  return namesOn(side).map((name) => ({ name, size: sizeOf(sizes, name) }));
}

export function sizeOf(sizes: Sizes, name: string): Dim {
  const size = sizes.get(name);
  if (size === undefined) throw new Error(`bug in crobc: the size of axis ${name} is not resolved`);
  return size;
}

export function isOne(facts: Facts, size: Dim): boolean {
  return sameDim(facts, size, one);
}
