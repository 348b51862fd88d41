import type { NodeOf } from '../../ir/graph.ts';
import type { OpName } from '../../ir/names.ts';
import type { Emission } from './emission.ts';

/**
 * How an operator is written in ONNX: emits nodes and gives the names of the results. A result left out
 * is there in another form (`nameForm`), and gets its own when something asks.
 */
export type Lowering<O extends OpName> = (node: NodeOf<O>, emission: Emission) => readonly (string | undefined)[];

/** The i-th input; a missing one is a bug, since arity is checked. */
export function inputOf(
  node: { readonly op: string; readonly inputs: readonly NodeOf<OpName>['inputs'][number][] },
  i: number,
) {
  const value = node.inputs[i];
  if (value === undefined) throw new Error(`bug in crobc: ${node.op} has no input ${i}`);
  return value;
}
