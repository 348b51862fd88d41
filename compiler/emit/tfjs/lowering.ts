import type { NodeOf, Value } from '../../ir/graph.ts';
import type { OpName } from '../../ir/names.ts';
import type { Emission } from './emission.ts';
import type { Temp } from './program.ts';

/** How an operator is written in TensorFlow.js: emits calls and gives the tensors that hold the results. */
export type Lowering<O extends OpName> = (node: NodeOf<O>, emission: Emission) => readonly Temp[];

/** The i-th input; a missing one is a bug, since arity is checked. */
export function inputOf(node: { readonly op: string; readonly inputs: readonly Value[] }, i: number): Value {
  const value = node.inputs[i];
  if (value === undefined) throw new Error(`bug in crobc: ${node.op} has no input ${i}`);
  return value;
}
