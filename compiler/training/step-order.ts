import { NumberHeap } from '../graphs/number-heap.ts';
import type { Node } from '../ir/graph.ts';
import { normLabel } from './clip.ts';

/** Labels of the operators that gather gradients. */
export const gathering = { pack: 'pack', accumulate: 'accumulate', norm: normLabel } as const;

const labels: ReadonlySet<string> = new Set(Object.values(gathering));

/**
 * Returns the nodes of a step in the order of the backward pass: what gathers gradients runs as soon as they are there,
 * and not at the end of the step, so that what they are computed from can be freed.
 */
export function gatheredEarly(nodes: readonly Node[]): Node[] {
  const keys = new Map<Node, number>();
  for (const [i, node] of nodes.entries()) {
    const last = node.inputs.reduce((latest, { node: from }) => Math.max(latest, keys.get(from)!), -1);
    keys.set(node, node.inputs.length === 0 ? -1 : labels.has(node.origin.label) ? last : i);
  }
  return [...nodes].sort((a, b) => keys.get(a)! - keys.get(b)!);
}

/**
 * Returns the nodes in an order in which a runtime that goes depth first runs them nearly in the order that they have
 * now. Such a runtime begins at the nodes that nothing reads, with the last one, and computes the inputs of a node from
 * the last one to the first, as onnxruntime does. Inputs still come before the nodes that read them.
 *
 * A node that is `waiting` for another gets a place before it, as an input of it would. If one node reads both, or what
 * depends on the other, the runtime then reaches the other first.
 */
export function forDepthFirst(nodes: readonly Node[], waiting: ReadonlyMap<Node, Node> = new Map()): Node[] {
  const position = new Map(nodes.map((node, i) => [node, i]));
  const unplaced = new Map<Node, number>(nodes.map((node) => [node, 0]));
  const behind = new Map<Node, Node[]>();
  for (const [node, other] of waiting)
    if (position.has(node) && position.has(other)) behind.set(other, [...(behind.get(other) ?? []), node]);
  const freed = (node: Node) => [...producers(node), ...(behind.get(node) ?? [])];
  for (const node of nodes) for (const from of freed(node)) unplaced.set(from, unplaced.get(from)! + 1);
  // From the end: of all nodes whose readers have places, the one that is to run first gets the last place.
  const ready = new NumberHeap();
  for (const [node, readers] of unplaced) if (readers === 0) ready.push(position.get(node)!);
  const placed: Node[] = [];
  for (let at = ready.pop(); at !== undefined; at = ready.pop()) {
    const node = nodes[at]!;
    placed.push(node);
    for (const from of freed(node)) {
      const left = unplaced.get(from)! - 1;
      unplaced.set(from, left);
      if (left === 0) ready.push(position.get(from)!);
    }
  }
  return placed.reverse();
}

function producers({ inputs }: Node): Set<Node> {
  return new Set(inputs.map(({ node }) => node));
}
