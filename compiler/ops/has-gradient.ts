import type { Node, NodeOf } from '../ir/graph.ts';
import type { OpName } from './names.ts';
import { ops } from './table.ts';

export function isOperator(node: Node): node is NodeOf<OpName> & Node {
  return node.op !== 'input' && node.op !== 'weight';
}

/** Whether an operator has a gradient for its float inputs; without one are constants and step functions. */
export function hasGradient(node: Node): boolean {
  return isOperator(node) && ops[node.op].gradient !== 'none';
}
