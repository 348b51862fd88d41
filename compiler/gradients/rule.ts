import type { Builder } from '../graphs/builder.ts';
import type { Value } from '../ir/graph.ts';
import type { OpAttributes, OpName } from '../ir/names.ts';

/** What a gradient rule has to work with at one node: the chain rule's surroundings. */
export interface GradientAt<O extends OpName> {
  readonly build: Builder;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** The gradients of the results, of their types; undefined where none flows. At least one is there. */
  readonly dys: readonly (Value | undefined)[];
  readonly attributes: OpAttributes[O];
  /** Which inputs' gradients are asked for. */
  readonly wanted: readonly boolean[];
}

/** One gradient an input, of the input's type; undefined where it is not wanted, or zero everywhere. */
export type Gradient<O extends OpName> = 'none' | ((at: GradientAt<O>) => readonly (Value | undefined)[]);

export interface GradientRow<O extends OpName> {
  /** Appends the gradients of the inputs; `none` for what is constant or a step function of its inputs. */
  readonly gradient: Gradient<O>;
  /**
   * What the gradient is where there is no derivative, or no finite one, in a sentence or two of Markdown: PyTorch's
   * choices. Not there where the derivative exists for all inputs.
   */
  readonly kinks?: string;
}

/** Where the gradient of an operator with one result is taken. */
export interface At<O extends OpName> {
  readonly build: Builder;
  readonly inputs: readonly Value[];
  readonly y: Value;
  readonly dy: Value;
  readonly attributes: OpAttributes[O];
}

/** The rule of an operator with one result: a gradient for each input, of which only those wanted are made. */
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

/** The rule of an operator of one input, whose gradient is asked for whenever the rule is. */
export function ofOne<O extends OpName>(gradient: (at: At<O> & { readonly x: Value }) => Value): Gradient<O> {
  return perInput((at) => [() => gradient({ ...at, x: operand(at.inputs, 0) })]);
}

/** The i-th input; a missing one is a bug, since arity is static. */
export function operand(inputs: readonly Value[], i: number): Value {
  const value = inputs[i];
  if (value === undefined) throw new Error(`bug in crobc: input ${i} of a gradient rule is missing`);
  return value;
}

/** Made when first asked for, once. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
