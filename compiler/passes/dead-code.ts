import { finish } from '../graphs/rebuild.ts';
import type { Graph } from '../ir/graph.ts';

/** Drops what no output needs; inputs stay, as part of the signature. */
export function eliminateDeadCode(graph: Graph): Graph {
  const result = finish(graph, graph.nodes);
  return result.nodes.length === graph.nodes.length ? graph : result;
}
