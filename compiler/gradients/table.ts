import type { Node } from '../ir/graph.ts';
import type { OpName } from '../ir/names.ts';
import { isOperator } from '../ops/table.ts';
import { binaryGradients } from './binary.ts';
import { compositeGradients } from './composite.ts';
import { contractGradients } from './contract.ts';
import { dataGradients } from './data.ts';
import { reduceGradients } from './reduce.ts';
import type { GradientRow } from './rule.ts';
import { unaryGradients } from './unary.ts';

/** The gradient of every operator. */
export const gradientRows: { readonly [O in OpName]: GradientRow<O> } = {
  ...dataGradients,
  ...unaryGradients,
  ...binaryGradients,
  ...reduceGradients,
  ...contractGradients,
  ...compositeGradients,
};

/** Returns the row of an operator that is only known at run time. */
export function gradientRowOf(op: OpName): GradientRow<OpName> {
  return gradientRows[op] as GradientRow<OpName>;
}

/** Whether an operator has a gradient for its float inputs; constants and step functions have none. */
export function hasGradient(node: Node): boolean {
  return isOperator(node) && gradientRows[node.op].gradient !== 'none';
}
