import type { Dim } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { OpAttributes, OpName } from '../ir/names.ts';
import type { TensorData, TensorType } from '../ir/types.ts';
import type { NonEmpty } from '../lists.ts';

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

export type Inferred = { readonly types: NonEmpty<TensorType> } | { readonly fault: OpFault };

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

/**
 * How the memory of a result may lie to the memory of an input:
 * - `element`: each element is computed from those at its own place in the inputs, read before it is written. The result may
 *   be written over an input, also by a kernel that a runtime makes of several such operators.
 * - `alone`: the same, but runtimes have kernels for it and its neighbours (x · sigmoid(x), gelu) that write a result
 *   and then read the input again. It may be written over an input that it reads itself.
 * - `same`: the first input's elements in their order; the result may be that memory.
 * - `moved`: elements of inputs at other places, among others or in another dtype; where nothing moves, it may be that memory.
 * - `new`: an element depends on elements at other places, or is written before the last reading: memory of its own.
 */
export type ResultMemory = 'element' | 'alone' | 'same' | 'moved' | 'new';

/**
 * What the elements of a result are:
 * - `own`: each is computed from one element of each input, by trailing alignment.
 * - `moved`: elements of the inputs at other places, unchanged, or a constant.
 * - `new`: computed from several elements, or from none.
 */
export type ResultElements = 'own' | 'moved' | 'new';

/**
 * What `--dtype f16` computes in:
 * - `f16`: half precision; time goes here, and runtimes add up in float32 by themselves.
 * - `f32`: float32; sums lose small terms in half precision, exponentials and powers overflow it, angles and positions need
 *   its missing bits.
 * - `operands`: what its operands were computed in.
 */
export type HalfPrecision = 'f16' | 'f32' | 'operands';

export interface RowNumbers {
  readonly input: number;
  /** The numbers lie in 0..rows-1. */
  readonly rows: Dim;
}

/** What an operator is: read by the checker, the interpreter, the passes, the summary, the docs and the fuzzer. Its gradient is in `gradients/table.ts`. */
export interface OpRow<O extends OpName> {
  readonly name: O;
  /** One paragraph of Markdown. */
  readonly docs: string;
  /** Numbered in messages and docs. */
  readonly constraints: readonly string[];
  readonly inputs: readonly string[];
  readonly memory: ResultMemory;
  readonly elements: ResultElements;
  readonly half: HalfPrecision;
  /**
   * Whatever it is given, half precision holds what it gives. That holds for e^x as well: where its argument was shifted to at
   * most 0, as before every sum of exponentials.
   */
  readonly bounded?: true;
  /** Of two inputs that may change places. */
  readonly commutes?: true;
  /** On one operand, twice is the same as once; on two, of the same operand twice is that operand. */
  readonly idempotent?: true;
  /** Twice is the operand, and once is not. */
  readonly involution?: true;
  /** Costs nothing, or less than to store its result and read it again. Its elements are those of its first input, if it has one. */
  readonly free?: true;
  /** Of an operator that takes row numbers: which input has them, and the rows that there are. Another number is an error. */
  rowNumbers?(inputs: readonly TensorType[], attributes: OpAttributes[O]): RowNumbers;
  /** Result types, or the first constraint that is not proved under `facts`. */
  infer(inputs: readonly TensorType[], attributes: OpAttributes[O], facts: Facts): Inferred;
  /** Plain float64 loops, slow and obvious. Dims in attributes are constants here. */
  reference(inputs: readonly TensorData[], attributes: OpAttributes[O]): readonly TensorData[];
  cost(inputs: readonly TensorType[], outputs: readonly TensorType[], attributes: OpAttributes[O]): Cost;
  sample(random: Random): Sample<O>;
}
