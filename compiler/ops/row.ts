import type { Dim } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { Builder } from '../ir/builder.ts';
import type { TensorData, TensorType, Value } from '../ir/graph.ts';
import type { OpAttributes, OpName } from './names.ts';

export type Relation = '==' | '<=' | '<' | '%';

/** Why arguments are not well typed: which constraint failed, and the dims that disagree when two do. */
export interface OpFault {
  readonly constraint: string;
  readonly left?: Dim;
  readonly right?: Dim;
  /** What was owed of them: `left relation right`; `%` is that `right` divides `left`. */
  readonly relation?: Relation;
  /** The inputs whose axis it is, for the provenance chain. */
  readonly at?: readonly { readonly input: number; readonly axis: number }[];
}

export type Inferred = { readonly types: readonly TensorType[] } | { readonly fault: OpFault };

/** A source of random choices for samplers. */
export interface Random {
  /** Uniform in [0, 1). */
  real(): number;
  /** lo <= n <= hi. */
  int(lo: number, hi: number): number;
  pick<T>(items: readonly T[]): T;
}

/** Well-typed random arguments, sizes concrete. */
export interface Sample<O extends OpName> {
  readonly inputs: readonly TensorData[];
  readonly attributes: OpAttributes[O];
}

export interface Cost {
  /** Floating-point operations: a multiply-add is two. */
  readonly flops: Dim;
  /** Bytes read and written. */
  readonly bytes: Dim;
}

/** Everything an operator IS: read by the checker, the interpreter, the differentiator, the summary, the docs and the fuzzer. */
export interface OpRow<O extends OpName> {
  readonly name: O;
  /** One paragraph of Markdown. */
  readonly docs: string;
  /** Numbered in messages and docs. */
  readonly constraints: readonly string[];
  readonly inputs: readonly string[];
  /** Result types, or the first constraint that is not proved under `facts`. */
  infer(inputs: readonly TensorType[], attributes: OpAttributes[O], facts: Facts): Inferred;
  /** Plain float64 loops, slow and obvious. Dims in attributes are constants here. */
  reference(inputs: readonly TensorData[], attributes: OpAttributes[O]): readonly TensorData[];
  cost(inputs: readonly TensorType[], outputs: readonly TensorType[], attributes: OpAttributes[O]): Cost;
  sample(random: Random): Sample<O>;
  /** Composite rows only: the same thing in core operators. */
  readonly definition?: (build: Builder, inputs: readonly Value[], attributes: OpAttributes[O]) => readonly Value[];
}
