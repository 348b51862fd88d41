import { mostTerms } from '../../compiler/dims/dim.ts';
import { longestAxis, tooLarge } from '../../compiler/ir/extent.ts';
import type { Node } from '../../compiler/ir/graph.ts';
import { UserError } from '../files/user-error.ts';

/** A model with the sizes from `--set` or its recipe. */
export interface Sized {
  readonly model: string;
  readonly dims: ReadonlyMap<string, number>;
}

/** Throws a UserError that names the sizes if a tensor has a larger axis than any runtime supports. */
export function checkSizes(sized: Sized, nodes: Iterable<Node>): void {
  const found = tooLarge(nodes);
  if (!found) return;
  if (found.size === undefined) throw beyondExact(sized);
  const path = found.node.origin.path;
  const [given, most] = [found.size, longestAxis].map((n) => n.toLocaleString('en'));
  throw new UserError(
    `${named(sized)}: ${path === '' ? 'it' : path} has an axis of ${given} entries, and an axis has ${most} at most`,
  );
}

/** The error for sizes from which numbers above 2^53 are computed, which are not exact. */
export function beyondExact(sized: Sized): UserError {
  const terms = sized.dims.size === 0 ? `, or products of more than ${mostTerms.toLocaleString('en')} terms` : '';
  return new UserError(`${named(sized)}: its sizes lead to numbers beyond 2^53, which are not exact${terms}`);
}

function named({ model, dims }: Sized): string {
  if (dims.size === 0) return `${model} is too large`;
  return `${model} is too large at ${[...dims].map(([name, n]) => `${name} = ${n}`).join(', ')}`;
}
