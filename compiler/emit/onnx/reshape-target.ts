import { asConstant, constant, type Dim, zero } from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import { sameDim } from '../../ir/shapes.ts';

/** Returns the size of a dim if it is known under the facts. */
export function known(facts: Facts, dim: Dim): number | undefined {
  return asConstant(dim) ?? asConstant(facts.normalize(dim));
}

export function knownShape(facts: Facts, shape: readonly Dim[]): number[] | undefined {
  const sizes: number[] = [];
  for (const dim of shape) {
    const size = known(facts, dim);
    if (size === undefined) return undefined;
    sizes.push(size);
  }
  return sizes;
}

export type ReshapePlan =
  | { readonly op: 'Reshape'; readonly target: readonly Dim[] }
  | { readonly op: 'Squeeze' | 'Unsqueeze'; readonly axes: readonly number[] };

/**
 * Plans a reshape with as little shape arithmetic as possible: a known size as a number, 0 for a size that stays on its
 * axis, -1 for one other size. If more than one is left, adding or dropping axes of size 1 needs no sizes; dims are
 * computed only if that does not suffice (the longest becomes -1).
 */
export function reshapePlan(facts: Facts, from: readonly Dim[], to: readonly Dim[]): ReshapePlan {
  const open: number[] = [];
  const target = to.map((dim, axis) => {
    const size = known(facts, dim);
    if (size !== undefined) return constant(size);
    const own = from[axis];
    if (own !== undefined && sameDim(facts, own, dim)) return zero;
    open.push(axis);
    return dim;
  });
  if (open.length > 1) {
    const grown = insertedOnes(facts, from, to);
    if (grown !== undefined) return { op: 'Unsqueeze', axes: grown };
    const shrunk = insertedOnes(facts, to, from);
    if (shrunk !== undefined) return { op: 'Squeeze', axes: shrunk };
  }
  const longest = open.reduce<number | undefined>(
    (best, axis) => (best === undefined || to[axis]!.key.length > to[best]!.key.length ? axis : best),
    undefined,
  );
  if (longest !== undefined) target[longest] = constant(-1);
  return { op: 'Reshape', target };
}

/** Returns the axes of size 1 in `to` without which it equals `from`; undefined if there are no such axes. */
export function insertedOnes(facts: Facts, from: readonly Dim[], to: readonly Dim[]): number[] | undefined {
  if (to.length <= from.length) return undefined;
  const axes: number[] = [];
  let next = 0;
  for (const [axis, dim] of to.entries()) {
    const own = from[next];
    const spare = to.length - axis > from.length - next;
    if (own !== undefined && sameDim(facts, own, dim) && !(spare && known(facts, dim) === 1)) next++;
    else if (known(facts, dim) === 1) axes.push(axis);
    else return undefined;
  }
  return next === from.length ? axes : undefined;
}
