import type { NodeOf } from '../../ir/graph.ts';
import type { OpName } from '../../ir/names.ts';
import type { Emission } from './emission.ts';

/**
 * Lowers an operator to ONNX: emits nodes and returns the names of the results. An undefined name means that the result
 * was emitted in another form (`nameForm`); its own form is emitted on request.
 */
export type Lowering<O extends OpName> = (node: NodeOf<O>, emission: Emission) => readonly (string | undefined)[];
