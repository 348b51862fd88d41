import { constant, type Dim, variables } from '../../compiler/dims/dim.ts';
import { bindDims } from '../../compiler/graphs/bind.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Feeds } from './session.ts';

/** Returns the graph with its dims bound to the sizes of the feeds. */
export function sized(graph: Graph, feeds: Feeds): Graph {
  const sizes = new Map<string, Dim>();
  for (const { name, value } of graph.inputs)
    for (const [axis, dim] of value.type.shape.entries())
      for (const free of variables(dim)) if (feeds[name]) sizes.set(free, constant(feeds[name].shape[axis]!));
  return bindDims(graph, sizes);
}
