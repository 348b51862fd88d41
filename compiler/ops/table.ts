import type { Node, NodeOf } from '../ir/graph.ts';
import type { OpName } from '../ir/names.ts';
import { binaryRows } from './binary.ts';
import { compositeRows } from './composite.ts';
import { contractRows } from './contract.ts';
import { dataRows } from './data.ts';
import { reduceRows } from './reduce.ts';
import type { OpRow, RowNumbers } from './row.ts';
import { unaryRows } from './unary.ts';

/** The definition of every operator. */
export const ops: { readonly [O in OpName]: OpRow<O> } = {
  ...dataRows,
  ...unaryRows,
  ...binaryRows,
  ...reduceRows,
  ...contractRows,
  ...compositeRows,
};

/** The names of all operators in the order of the table. */
export const opNames = Object.keys(ops) as OpName[];

/** The properties of a row that do not depend on its operator. */
export type AnyRow = Omit<OpRow<OpName>, 'infer' | 'reference' | 'cost' | 'sample'>;

/** Returns the operators whose rows pass the test. */
export function operatorsWhere(test: (row: AnyRow) => boolean): readonly OpName[] {
  return opNames.filter((op) => test(ops[op]));
}

export function isOperator(node: Node): node is NodeOf<OpName> & Node {
  return node.op !== 'input' && node.op !== 'weight';
}

/** Returns the row of a node's operator; undefined for inputs and weights. */
export function rowOf(node: Node): AnyRow | undefined {
  return isOperator(node) ? ops[node.op] : undefined;
}

/** Returns the row numbers that a node takes, if its operator takes any. */
export function rowNumbersOf(node: Node): RowNumbers | undefined {
  if (!isOperator(node)) return undefined;
  const row = ops[node.op] as OpRow<OpName>;
  return row.rowNumbers?.(
    node.inputs.map((input) => input.type),
    node.attributes,
  );
}
