import { asConstant } from '../compiler/dims/dim.ts';
import type { DType, Graph, NodeOf } from '../compiler/ir/graph.ts';

/** A weight that a graph needs; with a known size, which elaboration sees to. */
export interface GraphWeight {
  readonly path: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly role: 'param' | 'buffer';
  readonly init: NodeOf<'weight'>['attributes']['init'];
}

/** The weights of a graph, in its order. */
export function weightsOf(graph: Graph): GraphWeight[] {
  const found: GraphWeight[] = [];
  for (const node of graph.nodes) {
    if (node.op !== 'weight') continue;
    const { type } = node.outputs[0]!;
    const { path, role, init } = node.attributes;
    found.push({ path, role, init, dtype: type.dtype, shape: type.shape.map((d) => asConstant(d)!) });
  }
  return found;
}
