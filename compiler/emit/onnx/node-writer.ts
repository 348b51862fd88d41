import type { Facts } from '../../dims/facts.ts';
import type { TensorType } from '../../ir/types.ts';
import type { Attributes } from './model.ts';

/** The part of `Emission` that appends nodes, for code that `Emission` itself uses. */
export interface NodeWriter {
  readonly facts: Facts;
  /** Appends a node with one result of this type, under the current origin. */
  node(op: string, inputs: readonly string[], type: TensorType, attributes?: Attributes): string;
  /** Appends a node only once for the same operator, inputs and attributes. */
  shared(op: string, inputs: readonly string[], type: TensorType, attributes?: Attributes): string;
  /** i64[n]; emitted once. */
  i64(values: readonly number[]): string;
}
