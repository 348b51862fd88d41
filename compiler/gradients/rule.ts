import type { Builder } from '../graphs/builder.ts';
import type { Value } from '../ir/graph.ts';
import type { OpAttributes, OpName } from '../ir/names.ts';

/** The arguments of a gradient rule at one node. */
export interface GradientAt<O extends OpName> {
  readonly build: Builder;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** The gradients of the results, of the results' types; undefined where none flows. At least one is defined. */
  readonly dys: readonly (Value | undefined)[];
  readonly attributes: OpAttributes[O];
  /** For each input, whether its gradient is needed. */
  readonly wanted: readonly boolean[];
}

/** Returns one gradient per input, of the input's type; undefined if it is not wanted or is zero everywhere. */
export type Gradient<O extends OpName> = 'none' | ((at: GradientAt<O>) => readonly (Value | undefined)[]);

export interface GradientRow<O extends OpName> {
  /** Appends the gradients of the inputs; `none` for constants and for step functions of the inputs. */
  readonly gradient: Gradient<O>;
  /**
   * The gradient at points without a (finite) derivative, in one or two sentences of Markdown; it follows PyTorch.
   * Absent if the derivative exists for all inputs.
   */
  readonly kinks?: string;
}

/** The arguments of the gradient of an operator with one result. */
export interface At<O extends OpName> {
  readonly build: Builder;
  readonly inputs: readonly Value[];
  readonly y: Value;
  readonly dy: Value;
  readonly attributes: OpAttributes[O];
}

/** Makes the rule of an operator with one result from one gradient per input; only the wanted ones are computed. */
export function perInput<O extends OpName>(
  gradients: (at: At<O>) => readonly ((() => Value) | undefined)[],
): Gradient<O> {
  return ({ build, inputs, outputs, dys, attributes, wanted }) => {
    const [y, dy] = [outputs[0], dys[0]];
    if (y === undefined || dy === undefined) throw new Error('bug in crobc: a gradient rule without a gradient');
    const made = gradients({ build, inputs, y, dy, attributes });
    return inputs.map((_, i) => (wanted[i] === true ? made[i]?.() : undefined));
  };
}

/** Makes the rule of an operator with one input, whose gradient is wanted whenever the rule is applied. */
export function ofOne<O extends OpName>(gradient: (at: At<O> & { readonly x: Value }) => Value): Gradient<O> {
  return perInput((at) => [() => gradient({ ...at, x: operand(at.inputs, 0) })]);
}

/** Returns the i-th input. Throws if it is missing, which is a bug, since arity is static. */
export function operand(inputs: readonly Value[], i: number): Value {
  const value = inputs[i];
  if (value === undefined) throw new Error(`bug in crobc: input ${i} of a gradient rule is missing`);
  return value;
}

/** Returns a function that calls `make` at its first call and caches the result. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
