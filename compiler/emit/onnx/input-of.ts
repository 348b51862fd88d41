import type { NodeOf } from '../../ir/graph.ts';
import type { OpName } from '../../ir/names.ts';

/** The i-th input; a missing one is a bug, since arity is checked. */
export function inputOf(
  node: { readonly op: string; readonly inputs: readonly NodeOf<OpName>['inputs'][number][] },
  i: number,
) {
  const value = node.inputs[i];
  if (value === undefined) throw new Error(`bug in crobc: ${node.op} has no input ${i}`);
  return value;
}
