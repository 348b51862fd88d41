import type { BinaryName as BinaryOperator, UnaryName as Operator } from '../../../compiler/ir/names.ts';
import type { Size } from './size.ts';

/** Programs as data: what is drawn, printed as crob, evaluated, and made smaller. */

export type DType = 'f32' | 'i32' | 'bool';
export interface Type {
  readonly dtype: DType;
  readonly shape: readonly Size[];
}

export type UnaryName = Exclude<Operator, 'not'> | 'gelu' | 'gelu_tanh' | 'stop_gradient' | 'square';
/** Powers are drawn as squares and roots. */
export type BinaryName = Exclude<BinaryOperator, CompareName | 'and' | 'or' | 'pow'>;
export type CompareName = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';

/** The axes of one side of a pattern, each the names that are merged in it; `1` is the empty one. */
export type Side = readonly (readonly string[])[];
export type Range = { readonly from: Size; readonly to: Size } | { readonly index: Size } | 'all';

/** What an operation is besides its operands, by its name. */
export interface Operations {
  /** A parameter, input, `let` or weight. */
  readonly name: { readonly name: string };
  readonly full: { readonly value: number };
  /** A number without axes, beside a tensor. */
  readonly number: { readonly value: number };
  readonly unary: { readonly fn: UnaryName };
  readonly binary: { readonly fn: BinaryName };
  readonly compare: { readonly fn: CompareName };
  readonly logic: { readonly fn: 'and' | 'or' };
  readonly not: None;
  readonly select: None;
  readonly pattern: {
    readonly how: 'rearrange' | 'repeat' | 'sum' | 'mean' | 'amax' | 'einsum';
    readonly left: readonly Side[];
    readonly right: Side;
    readonly sizes: readonly (readonly [name: string, size: Size])[];
    /** Names whose size stands in the call. */
    readonly given: readonly string[];
  };
  readonly concat: { readonly axis: number };
  readonly stack: { readonly axis: number };
  readonly slice: { readonly ranges: readonly Range[] };
  readonly pad: { readonly axis: number; readonly low: Size; readonly high: Size; readonly value: number };
  readonly roll: { readonly axis: number; readonly by: number };
  readonly softmax: { readonly axis: number; readonly log: boolean };
  readonly layer_norm: { readonly eps: number };
  readonly matmul: None;
  readonly conv: {
    readonly stride: number;
    readonly padding: number;
    readonly dilation: number;
    readonly groups: number;
  };
  readonly pool: { readonly kernel: number; readonly stride: number };
  readonly sample: None;
  readonly gather: None;
  readonly scatter: { readonly rows: Size };
  readonly top: { readonly k: Size; readonly part: 'value' | 'index' };
  readonly cast: None;
  readonly as: None;
  readonly iota: None;
  /** A size as a number. */
  readonly size: { readonly size: Size };
  /** A tensor from its indices; the operand is computed with their names. */
  readonly indexed: { readonly names: readonly string[] };
  /** A static choice between the operands. */
  readonly choose: { readonly when: Condition };
  /** x, changed for each number of a list: `for k in ks { x = … }`; the operands are the start and, with `x` and `k`, what becomes of it. */
  readonly fold: { readonly list: string; readonly item: string; readonly name: string };
  readonly call: { readonly fn: string; readonly statics: readonly Argument[] };
  readonly apply: { readonly part: string; readonly method: string };
}
type None = Readonly<Record<never, never>>;

export type Operation = keyof Operations;
export interface ExprOf<O extends Operation> {
  readonly op: O;
  readonly type: Type;
  readonly args: readonly Expr[];
  readonly at: Operations[O];
}
export type Expr = { [O in Operation]: ExprOf<O> }[Operation];

export type Condition =
  | { readonly kind: 'flag'; readonly name: string }
  | { readonly kind: 'is'; readonly name: string; readonly text: string }
  | { readonly kind: 'given'; readonly name: string }
  | { readonly kind: 'more'; readonly left: Size; readonly right: number }
  | { readonly kind: 'training' };

export type Static = number | boolean | string | readonly number[] | null;
export type Argument =
  | { readonly kind: 'literal'; readonly value: Static }
  | { readonly kind: 'size'; readonly size: Size }
  /** Of another part: `b.hidden`. */
  | { readonly kind: 'read'; readonly path: string; readonly plus: number };

export interface Param {
  readonly name: string;
  readonly kind: 'int' | 'float' | 'flag' | 'choice' | 'ints' | 'option' | 'slot';
  /** Of a choice. */
  readonly choices: readonly string[];
  /** Of a slot: the interface. */
  readonly slot: string | undefined;
  readonly value: Static | undefined;
}

export interface Let {
  readonly name: string;
  readonly value: Expr;
}
export interface Body {
  readonly lets: readonly Let[];
  readonly result: Expr;
}
export interface Port {
  readonly name: string;
  readonly type: Type;
}

export interface Fn {
  readonly name: string;
  readonly params: readonly Param[];
  readonly args: readonly Port[];
  readonly type: Type;
  readonly body: Body;
}

export interface Weight {
  readonly name: string;
  readonly shape: readonly Size[];
  readonly buffer: boolean;
  readonly decay: boolean;
  /** The name in files, where it is another one. */
  readonly path: string | undefined;
}
export interface Part {
  readonly name: string;
  /** A module, or a parameter that is a slot. */
  readonly of: string;
  readonly args: readonly (readonly [name: string, value: Argument])[];
  /** What fills its slots, by parameter: modules by name. */
  readonly slots: readonly (readonly [name: string, module: string])[];
}
export interface Method {
  readonly name: string;
  readonly args: readonly Port[];
  readonly type: Type;
  readonly body: Body;
  /** Values that are made before buffers change; the body may name them. */
  readonly early: readonly Let[];
  /** What buffers become in training, by name. */
  readonly updates: readonly Let[];
}
export interface Module {
  readonly name: string;
  /** The interface that it fills. */
  readonly fills: string | undefined;
  readonly params: readonly Param[];
  readonly statics: readonly (readonly [name: string, value: Size])[];
  readonly weights: readonly Weight[];
  readonly parts: readonly Part[];
  readonly methods: readonly Method[];
}
export interface Interface {
  readonly name: string;
  readonly params: readonly string[];
  readonly statics: readonly string[];
  readonly args: readonly Port[];
  readonly type: Type;
}

export type Values = 'smooth' | 'grid' | 'special' | 'index' | 'bits';
export interface Input extends Port {
  /** As fed, where it is converted where it is read. */
  readonly fed: DType | 'i64' | 'u8';
  readonly values: Values;
}
export interface Output {
  readonly name: string;
  readonly value: Expr;
  readonly typed: boolean;
}
export interface Model {
  readonly name: string;
  readonly params: readonly Param[];
  readonly parts: readonly Part[];
  readonly inputs: readonly Input[];
  readonly lets: readonly Let[];
  readonly outputs: readonly Output[];
}
/** A line of a variant: `a.k = b.hidden + 1`. */
export interface Line {
  readonly path: readonly [part: string, ...more: string[]];
  readonly value: Argument;
}
export interface Variant {
  readonly name: string;
  readonly lines: readonly Line[];
}

export interface Recipe {
  readonly sizes: readonly (readonly [name: string, size: number])[];
  readonly inputs: readonly Input[];
  /** Scalars of the model's outputs and the recipe's inputs. */
  readonly terms: readonly Let[];
  readonly optimizer: Optimizer;
  readonly clip: number | undefined;
  readonly ema: number | undefined;
  readonly accumulate: number;
  readonly groups: readonly Group[];
  /** Parts whose weights are not updated. */
  readonly fixed: readonly string[];
}

export type Optimizer =
  | {
      readonly kind: 'AdamW';
      readonly weightDecay: number;
      readonly beta1: number;
      readonly beta2: number;
      readonly eps: number;
    }
  | { readonly kind: 'SGD'; readonly weightDecay: number; readonly momentum: number };

/** Of the weights of a part: a factor of the learning rate, and a weight decay. */
export interface Group {
  readonly part: string;
  readonly lr: number;
  readonly weightDecay: number | undefined;
}

/** The last variant is what is compiled, or the model where there is none. */
export interface Program {
  readonly fns: readonly Fn[];
  readonly interfaces: readonly Interface[];
  readonly modules: readonly Module[];
  readonly model: Model;
  readonly variants: readonly Variant[];
  readonly recipe: Recipe | undefined;
}

export const model = (program: Program): string => program.variants.at(-1)?.name ?? program.model.name;
