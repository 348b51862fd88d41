import { DimOverflow } from '../compiler/dims/dim.ts';
import { beyondLongestAxis, longestAxis } from '../compiler/ir/extent.ts';
import type { Node } from '../compiler/ir/graph.ts';
import { UserError } from '../runtime/user-error.ts';

/** A model at sizes that `--set` or its recipe gives. */
export interface Sized {
  readonly model: string;
  readonly dims: ReadonlyMap<string, number>;
}

/** Computes with sizes. Throws a UserError that names them where they leave the whole numbers that are exact. */
export function withinExact<T>(sized: Sized, compute: () => T): T {
  try {
    return compute();
  } catch (e) {
    if (!(e instanceof DimOverflow)) throw e;
    throw new UserError(`${tooLarge(sized)}: numbers beyond 2^53 come up, and those are not exact`);
  }
}

/** Throws a UserError that names the sizes where a tensor becomes larger than anything that could run it. */
export function checkSizes(sized: Sized, nodes: Iterable<Node>): void {
  const found = withinExact(sized, () => beyondLongestAxis(nodes));
  if (!found) return;
  const { node, size } = found;
  const where = node.origin.path === '' ? 'it' : node.origin.path;
  const [given, most] = [size, longestAxis].map((n) => n.toLocaleString('en'));
  throw new UserError(`${tooLarge(sized)}: ${where} has an axis of ${given} entries, and an axis has ${most} at most`);
}

function tooLarge({ model, dims }: Sized): string {
  if (dims.size === 0) return `${model} is too large`;
  return `${model} is too large at ${[...dims].map(([name, n]) => `${name} = ${n}`).join(', ')}`;
}
