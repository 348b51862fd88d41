import type { Facts } from '../../../dims/facts.ts';
import type { Graph, Node, Value } from '../../../ir/graph.ts';
import { sameShape } from '../../../ir/shapes.ts';
import { isFloat } from '../../../ops/typing.ts';
import { inOneKernel } from '../sum-steps.ts';

/**
 * By the last addition: three or more values of one shape that are added one after another, in this order. Additions
 * before the last, which become part of it, are added to `inner`.
 */
export function findAdditions(
  { nodes, facts }: Graph,
  uses: ReadonlyMap<Value, number>,
  inner: Set<Node>,
  isTaken: (node: Node) => boolean,
): Map<Node, readonly Value[]> {
  const all = new Map<Node, readonly Value[]>();
  const found = new Map<Node, readonly Value[]>();
  for (const node of nodes) {
    if (!isAddition(node, facts) || inner.has(node) || isTaken(node)) continue;
    const before = (value: Value) => (uses.get(value) === 1 ? all.get(value.node) : undefined);
    const [a, b] = node.inputs as readonly [Value, Value];
    const [first, last] = (before(b)?.length ?? 0) > (before(a)?.length ?? 0) ? [b, a] : [a, b];
    const operands = before(first);
    if (operands === undefined || operands.length === inOneKernel) {
      all.set(node, [a, b]);
      continue;
    }
    all.set(node, [...operands, last]);
    found.set(node, [...operands, last]);
    found.delete(first.node);
    inner.add(first.node);
  }
  return found;
}

/** ONNX has no Sum of integers. */
function isAddition({ op, inputs, outputs }: Node, facts: Facts): boolean {
  const { dtype, shape } = outputs[0]!.type;
  return op === 'add' && isFloat(dtype) && inputs.every(({ type }) => sameShape(facts, type.shape, shape));
}
