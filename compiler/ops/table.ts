import type { Node, NodeOf } from '../ir/graph.ts';
import type { OpName } from '../ir/names.ts';
import { binaryRows } from './binary.ts';
import { compositeRows } from './composite.ts';
import { contractRows } from './contract.ts';
import { dataRows } from './data.ts';
import { reduceRows } from './reduce.ts';
import type { OpRow } from './row.ts';
import { unaryRows } from './unary.ts';

/** Every operator: what it is. */
export const ops: { readonly [O in OpName]: OpRow<O> } = {
  ...dataRows,
  ...unaryRows,
  ...binaryRows,
  ...reduceRows,
  ...contractRows,
  ...compositeRows,
};

/** In the table's order. */
export const opNames = Object.keys(ops) as OpName[];

/** What every row has, whatever its operator. */
export type AnyRow = Pick<OpRow<OpName>, 'name' | 'memory' | 'elements' | 'half' | 'bounded' | 'commutes' | 'free'>;

export function isOperator(node: Node): node is NodeOf<OpName> & Node {
  return node.op !== 'input' && node.op !== 'weight';
}

/** The row of a node's operator; undefined for inputs and weights, whose elements are given. */
export function rowOf(node: Node): AnyRow | undefined {
  return isOperator(node) ? ops[node.op] : undefined;
}
