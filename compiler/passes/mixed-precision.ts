import type { Graph, Node, Value } from '../ir/graph.ts';
import type { HalfType } from '../ir/types.ts';
import { toHalf } from './half.ts';

export interface MixedPrecisionOptions {
  readonly type: HalfType;
  /** Names of the inputs that are weights. */
  readonly weights: ReadonlySet<string>;
  /** Names of the weights that are read in f32. */
  readonly kept: ReadonlySet<string>;
  /** The outputs of the model, from which the losses are computed. */
  readonly results: readonly Value[];
  /** The losses, f32[] each. */
  readonly losses: readonly Value[];
}

/**
 * Converts the graph of a loss and its gradients to mixed precision: products and convolutions, and so their gradients,
 * run in half precision; what is between the outputs of the model and the losses is f32, and so are gradients of weights.
 */
export function toMixedPrecision(graph: Graph, options: MixedPrecisionOptions): Graph {
  const named = (names: ReadonlySet<string>) =>
    new Set(graph.inputs.filter(({ name }) => names.has(name)).map(({ value }) => value));
  const training = {
    weights: named(options.weights),
    kept: named(options.kept),
    precise: between(graph, options.results, options.losses),
  };
  return toHalf(graph, { type: options.type, training });
}

/** Returns the nodes that depend on one of `from` and that one of `to` depends on. */
function between(graph: Graph, from: readonly Value[], to: readonly Value[]): ReadonlySet<Node> {
  const behind = new Set<Value>(from);
  for (const node of graph.nodes)
    if (node.inputs.some((input) => behind.has(input))) for (const output of node.outputs) behind.add(output);
  const given = new Set(from);
  const needed = new Set<Node>(to.map(({ node }) => node));
  for (const node of [...graph.nodes].reverse())
    if (needed.has(node)) for (const input of node.inputs) if (!given.has(input)) needed.add(input.node);
  const isBehind = (node: Node) => node.outputs.some((output) => behind.has(output) && !given.has(output));
  return new Set([...needed].filter(isBehind));
}
