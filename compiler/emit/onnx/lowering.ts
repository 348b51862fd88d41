import type { NodeOf } from '../../ir/graph.ts';
import type { OpName } from '../../ir/names.ts';
import type { Emission } from './emission.ts';

/**
 * How an operator is written in ONNX: emits nodes and gives the names of the results. A result left out
 * is there in another form (`nameForm`), and gets its own when something asks.
 */
export type Lowering<O extends OpName> = (node: NodeOf<O>, emission: Emission) => readonly (string | undefined)[];
