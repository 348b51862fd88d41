import type { NodeOf } from '../../ir/graph.ts';
import type { OpName } from '../../ir/names.ts';
import type { Emission } from './emission.ts';
import type { Temp } from './program.ts';

/** Lowers an operator to TensorFlow.js: emits calls and returns the tensors of the results. */
export type Lowering<O extends OpName> = (node: NodeOf<O>, emission: Emission) => readonly Temp[];
