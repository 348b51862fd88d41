import { finish } from '../graphs/rebuild.ts';
import type { Graph } from '../ir/graph.ts';

/** Removes nodes that no output needs; inputs stay, because they are part of the signature. */
export function eliminateDeadCode(graph: Graph): Graph {
  const result = finish(graph, graph.nodes);
  return result.nodes.length === graph.nodes.length ? graph : result;
}
