import { asConstant, type Dim } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { Node, NodeOf, NodeOp, Value } from '../ir/graph.ts';
import type { OpName } from '../ir/names.ts';
import { uniformValue } from '../ir/tensor-data.ts';
import { opNames, ops, rowOf } from '../ops/table.ts';

/** Returns the node of a value if it has this operator. */
export function producer<O extends NodeOp>(value: Value, op: O): NodeOf<O> | undefined {
  return value.node.op === op ? (value.node as NodeOf<NodeOp> as NodeOf<O>) : undefined;
}

/** The operators for whose results `numberOf` may return a number. */
export const numberOps: ReadonlySet<NodeOp> = new Set(['full', 'constant', 'dim', 'broadcast', 'reshape', 'transpose']);

/** Returns the number that all elements of a value are known to equal. */
export function numberOf(value: Value): number | undefined {
  switch (value.node.op) {
    case 'full':
      return value.node.attributes.value;
    case 'constant':
      return uniformValue(value.node.attributes.tensor);
    case 'dim':
      return asConstant(value.node.attributes.value);
    case 'broadcast':
    case 'reshape':
    case 'transpose':
      return numberOf(value.node.inputs[0]!);
    default:
      return undefined;
  }
}

/** Returns the first operand, of a commutative pair, that satisfies `test`, and the other operand. */
export function either<T>(
  inputs: readonly Value[],
  test: (value: Value) => T | undefined,
): { readonly found: T; readonly other: Value } | undefined {
  const [a, b] = [inputs[0]!, inputs[1]!];
  const second = test(b);
  if (second !== undefined) return { found: second, other: a };
  const first = test(a);
  return first === undefined ? undefined : { found: first, other: b };
}

/** Returns the number among the operands of a commutative operator, and the other operand. */
export function besideNumber(inputs: readonly Value[]): { readonly found: number; readonly other: Value } | undefined {
  return either(inputs, numberOf);
}

export function isOne(facts: Facts, dim: Dim): boolean {
  return (asConstant(dim) ?? asConstant(facts.normalize(dim))) === 1;
}

/** Operators where each element of the result depends on one element of each input, by trailing alignment. */
export const elementwiseOps: readonly OpName[] = opNames.filter((op) => ops[op].elements === 'own');

export function isElementwise(node: Node): boolean {
  return rowOf(node)?.elements === 'own';
}
