import type { Facts } from '../../dims/facts.ts';
import type { TensorType } from '../../ir/types.ts';
import type { Attributes } from './model.ts';

/** Where nodes are appended: `Emission`, for what it uses itself. */
export interface NodeWriter {
  readonly facts: Facts;
  /** A node with one result, of this type, under the current origin. */
  node(op: string, inputs: readonly string[], type: TensorType, attributes?: Attributes): string;
  /** A node that is there once for the same operator, inputs and attributes. */
  shared(op: string, inputs: readonly string[], type: TensorType, attributes?: Attributes): string;
  /** i64[n], there once. */
  i64(values: readonly number[]): string;
}
