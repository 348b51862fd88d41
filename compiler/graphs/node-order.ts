import type { Node } from '../ir/graph.ts';

/**
 * Returns the nodes in the order in which onnxruntime's sequential executor runs them (GraphViewer and
 * Graph::ReverseDFSFrom, 1.30): depth first from the nodes that nothing reads, of which the last one comes first, as the
 * last one of several inputs does.
 */
export function depthFirst(nodes: readonly Node[]): Node[] {
  const position = new Map(nodes.map((node, i) => [node, i]));
  const byPosition = (a: Node, b: Node) => position.get(a)! - position.get(b)!;
  const read = new Set(nodes.flatMap(producers));
  const stack: { readonly node: Node; readonly leave: boolean }[] = nodes
    .filter((node) => !read.has(node))
    .map((node) => ({ node, leave: false }));
  const visited = new Set<Node>();
  const order: Node[] = [];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { node, leave } = top;
    if (leave) {
      order.push(node);
      continue;
    }
    if (visited.has(node)) continue;
    visited.add(node);
    stack.push({ node, leave: true });
    for (const from of producers(node).sort(byPosition))
      if (!visited.has(from)) stack.push({ node: from, leave: false });
  }
  return order;
}

function producers({ inputs }: Node): Node[] {
  return [...new Set(inputs.map(({ node }) => node))];
}
