import type { DType, TensorData } from '../../ir/types.ts';

/** TensorFlow.js has no int64 and no uint8: both are int32 from the border on. */
export type TfType = 'float32' | 'int32' | 'bool';

export const tfTypes: Readonly<Record<Exclude<DType, 'f16'>, TfType>> = {
  f32: 'float32',
  i32: 'int32',
  i64: 'int32',
  u8: 'int32',
  bool: 'bool',
};

export function tfType(dtype: DType): TfType {
  if (dtype === 'f16') throw new Error('bug in crobc: TensorFlow.js has no half precision');
  return tfTypes[dtype];
}

/** Who disposes of a tensor: the function itself at its last use, or its caller. */
export type Owner = 'function' | 'feeds' | 'state' | 'constants';

/** A tensor of the generated function: one variable of its text. */
export interface Temp {
  readonly owner: Owner;
  readonly shape: readonly number[];
  readonly dtype: TfType;
  /** What it is called, if nothing else is called so; for feeds and state, the name they come under. */
  readonly hint: string;
}

export type Argument = Temp | number | boolean | string | readonly Argument[];

/** `const result = tf.fn(...args)`. */
export interface Call {
  readonly results: readonly Temp[];
  /** A function of TensorFlow.js, without the `tf.`; or one that the program brings. */
  readonly fn: string;
  readonly args: readonly Argument[];
  /** The module that the operator came from. */
  readonly path: string;
}

export function isTemp(argument: Argument): argument is Temp {
  return typeof argument === 'object' && 'owner' in argument;
}

/** The tensors that an argument names, inside lists too. */
export function tempsOf(argument: Argument): readonly Temp[] {
  if (typeof argument !== 'object') return [];
  return isTemp(argument) ? [argument] : argument.flatMap(tempsOf);
}

/** What the generated function does, in order. */
export type Step =
  | { readonly kind: 'call'; readonly call: Call }
  /** The state's tensor of this name, under a variable. */
  | { readonly kind: 'take'; readonly temp: Temp; readonly multiplied: boolean }
  /** The last use is over. */
  | { readonly kind: 'free'; readonly temps: readonly Temp[] }
  /** A new value for the state; the old one is disposed of. */
  | { readonly kind: 'replace'; readonly name: string; readonly temp: Temp };

export interface Port {
  readonly name: string;
  readonly temp: Temp;
  readonly dtype: DType;
  readonly docs: string;
}

export interface TfjsFunction {
  readonly name: string;
  readonly docs: string;
  /** What each call is given. */
  readonly feeds: readonly Port[];
  /** What lives from call to call. */
  readonly state: readonly { readonly temp: Temp; readonly replaced: boolean }[];
  readonly outputs: readonly Port[];
  readonly steps: readonly Step[];
}

/** Tensors that are the same in every call, made once. */
export interface Constant {
  readonly temp: Temp;
  readonly tensor: TensorData;
}

export interface TfjsProgram {
  readonly model: string;
  readonly docs: string;
  readonly hash: string;
  readonly constants: readonly Constant[];
  readonly functions: readonly TfjsFunction[];
}
