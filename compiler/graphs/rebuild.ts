import type { Graph, Node, Value } from '../ir/graph.ts';
import { Builder } from './builder.ts';

/**
 * Returns the values that replace a node's results in the new graph, given the node's inputs there; undefined copies
 * the node. New nodes get the origin of the old one. Values of the old graph may only be used in the new one through
 * `inputs`.
 */
export type Rewrite = (node: Node, inputs: readonly Value[], build: Builder) => readonly Value[] | undefined;

/**
 * Rewrites a graph in one walk in topological order and drops dead nodes. Returns the graph itself if nothing changed.
 */
export function rewrite(graph: Graph, replace: Rewrite, build = new Builder(graph.facts)): Graph {
  // Contains only replaced values: in most rewrites, most values stay the same.
  const now = new Map<Value, Value>();
  const current = (value: Value): Value => now.get(value) ?? value;
  for (const node of graph.nodes) {
    const inputs = node.inputs.some((input) => now.has(input)) ? node.inputs.map(current) : node.inputs;
    build.origin = node.origin;
    const results = replace(node, inputs, build) ?? build.copy(node, inputs);
    if (results === node.outputs) continue;
    for (const [i, output] of node.outputs.entries()) if (results[i] !== output) now.set(output, results[i]!);
  }
  if (now.size === 0) return graph;
  const parts = {
    ...graph,
    inputs: graph.inputs.map((input) => ({ ...input, value: current(input.value) })),
    outputs: graph.outputs.map((output) => ({ ...output, value: current(output.value) })),
  };
  return finish(parts, build.nodes);
}

/** Returns a graph of the nodes that its outputs need, in the given order, and all its inputs. */
export function finish(parts: Omit<Graph, 'nodes'>, nodes: readonly Node[]): Graph {
  const live = new Set<Node>(parts.inputs.map((input) => input.value.node));
  for (const { value } of parts.outputs) live.add(value.node);
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    if (live.has(node)) for (const input of node.inputs) live.add(input.node);
  }
  const seen = new Set<Node>();
  const kept = nodes.filter((node) => live.has(node) && !seen.has(node) && seen.add(node));
  const { name, docs, inputs, outputs, facts, expected, guards } = parts;
  return { name, docs, inputs, outputs, nodes: kept, facts, ...(expected && { expected }), guards };
}

/** Returns how many node inputs and graph outputs read each value. */
export function countUses(graph: Graph): Map<Value, number> {
  const uses = new Map<Value, number>();
  const count = (value: Value): void => {
    uses.set(value, (uses.get(value) ?? 0) + 1);
  };
  for (const node of graph.nodes) node.inputs.forEach(count);
  for (const output of graph.outputs) count(output.value);
  return uses;
}
