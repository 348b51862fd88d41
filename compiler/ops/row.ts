import type { Dim } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { OpAttributes, OpName } from '../ir/names.ts';
import type { TensorData, TensorType } from '../ir/types.ts';
import type { NonEmpty } from '../lists.ts';

export type Relation = '==' | '<=' | '<' | '%';

/** Why arguments are not well typed: the constraint that failed and, if two dims disagree, the dims. */
export interface OpFault {
  readonly constraint: string;
  readonly left?: Dim;
  readonly right?: Dim;
  /** The relation that had to hold: `left relation right`. `%` means that `right` divides `left`. */
  readonly relation?: Relation;
  /** The axes of inputs that the dims belong to, for the provenance chain. */
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

/** Well-typed random arguments with concrete sizes. */
export interface Sample<O extends OpName> {
  readonly inputs: readonly TensorData[];
  readonly attributes: OpAttributes[O];
}

export interface Cost {
  /** Floating-point operations; a multiply-add counts as two. */
  readonly flops: Dim;
  /** Bytes read and written. */
  readonly bytes: Dim;
}

/**
 * How the memory of a result may overlap the memory of an input:
 * - `element`: each element is computed from the elements at the same position in the inputs, which are read before it
 *   is written. The result may be written over an input, also by a kernel in which a runtime fuses several such
 *   operators.
 * - `alone`: the same, but runtimes have fused kernels for the operator and its neighbours (x · sigmoid(x), gelu) that
 *   write a result and then read the input again. The result may only be written over an input that the operator itself
 *   reads.
 * - `same`: the elements of the first input in the same order; the result may share its memory.
 * - `moved`: elements of inputs at other positions, among others, or in another dtype. If nothing moves, the result may
 *   share the memory of the input.
 * - `new`: an element depends on elements at other positions, or is written before the last read, so the result needs
 *   memory of its own.
 */
export type ResultMemory = 'element' | 'alone' | 'same' | 'moved' | 'new';

/**
 * How the elements of a result are made:
 * - `own`: each is computed from one element of each input, by trailing alignment.
 * - `moved`: they are unchanged elements of the inputs at other positions, or a constant.
 * - `new`: each is computed from several elements, or from none.
 */
export type ResultElements = 'own' | 'moved' | 'new';

/**
 * The precision in which a graph of half precision (`--dtype f16`, `precision = "bf16"` of a recipe) computes an operator:
 * - `half`: f16 or bf16, for operators that take most of the time; runtimes accumulate them in float32.
 * - `f32`: float32. Half precision would lose small terms of sums, overflow in exponentials and powers, and have too
 *   few bits for angles and positions.
 * - `f32 inside`: float32, but in a graph for inference, its results are in the precision of its first operand, so that
 *   what is computed from them is, too.
 * - `operands`: the precision of its operands.
 */
export type HalfPrecision = 'half' | 'f32' | 'f32 inside' | 'operands';

/** Whether operands in half precision are converted to float32 for an operator. */
export function computesInF32(row: { readonly half: HalfPrecision } | undefined): boolean {
  return row?.half === 'f32' || row?.half === 'f32 inside';
}

export interface RowNumbers {
  readonly input: number;
  /** The numbers are in 0..rows-1. */
  readonly rows: Dim;
}

/**
 * The definition of an operator, as read by the checker, the interpreter, the passes, the summary, the docs and the
 * fuzzer. Gradients are in `gradients/table.ts`.
 */
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
   * With bf16, the operator is computed in f32: ONNX does not allow bfloat16 for it before opset 22 (Conv, MaxPool), or
   * onnxruntime's CUDA provider 1.30 has no kernel for it (ReduceMax, Floor, comparisons; its docs/OperatorKernels.md).
   */
  readonly bf16?: 'f32';
  /**
   * Half precision can hold the result for every input. For e^x, this assumes that the argument was shifted to at most
   * 0, as it is before every sum of exponentials.
   */
  readonly bounded?: true;
  /** f(a, b) = f(b, a). */
  readonly commutes?: true;
  /** f(f(x)) = f(x) for a unary operator; f(x, x) = x for a binary one. */
  readonly idempotent?: true;
  /** f(f(x)) = x, and f is not the identity. */
  readonly involution?: true;
  /**
   * Computing the result costs less than storing and reading it. The elements are those of the first input, if there is
   * one.
   */
  readonly free?: true;
  /**
   * For an operator that takes row numbers: the input that has them and the number of rows. Any other number is an
   * error.
   */
  rowNumbers?(inputs: readonly TensorType[], attributes: OpAttributes[O]): RowNumbers;
  /** Returns the result types, or the first constraint that is not proved under `facts`. */
  infer(inputs: readonly TensorType[], attributes: OpAttributes[O], facts: Facts): Inferred;
  /** The reference kernel: plain float64 loops, simple rather than fast. Dims in attributes are constants here. */
  reference(inputs: readonly TensorData[], attributes: OpAttributes[O]): readonly TensorData[];
  cost(inputs: readonly TensorType[], outputs: readonly TensorType[], attributes: OpAttributes[O]): Cost;
  sample(random: Random): Sample<O>;
}
