import type { NodeOf } from '../../ir/graph.ts';
import type { OpName } from '../../ir/names.ts';
import type { Emission } from './emission.ts';
import type { Temp } from './program.ts';

/** How an operator is written in TensorFlow.js: emits calls and gives the tensors that hold the results. */
export type Lowering<O extends OpName> = (node: NodeOf<O>, emission: Emission) => readonly Temp[];
