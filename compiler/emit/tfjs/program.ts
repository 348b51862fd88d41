import type { DType, HalfType, TensorData } from '../../ir/types.ts';
import { isHalf } from '../../ops/typing.ts';

/** TensorFlow.js has no int64 and no uint8: both become int32 at inputs and outputs. */
export type TfType = 'float32' | 'int32' | 'bool';

export const tfTypes: Readonly<Record<Exclude<DType, HalfType>, TfType>> = {
  f32: 'float32',
  i32: 'int32',
  i64: 'int32',
  u8: 'int32',
  bool: 'bool',
};

export function tfType(dtype: DType): TfType {
  if (isHalf(dtype)) throw new Error('bug in crobc: TensorFlow.js has no half precision');
  return tfTypes[dtype];
}

/** Who disposes of a tensor: the function after the last use, or the caller. */
export type Owner = 'function' | 'feeds' | 'state' | 'constants';

/** A tensor of the generated function, which becomes one variable. */
export interface Temp {
  readonly owner: Owner;
  readonly shape: readonly number[];
  readonly dtype: TfType;
  /** The name of the variable if it is free; for feeds and state, their key. */
  readonly hint: string;
}

export type Argument = Temp | number | boolean | string | readonly Argument[];

/** `const result = tf.fn(...args)`. */
export interface Call {
  readonly results: readonly Temp[];
  /** A function of TensorFlow.js, without `tf.`, or a function that the program defines. */
  readonly fn: string;
  readonly args: readonly Argument[];
  /** The module of the operator. */
  readonly path: string;
}

export function isTemp(argument: Argument): argument is Temp {
  return typeof argument === 'object' && 'owner' in argument;
}

/** Returns the tensors in an argument, including those inside lists. */
export function tempsOf(argument: Argument): readonly Temp[] {
  if (typeof argument !== 'object') return [];
  return isTemp(argument) ? [argument] : argument.flatMap(tempsOf);
}

/** The steps of the generated function, in order. */
export type Step =
  | { readonly kind: 'call'; readonly call: Call }
  /** Assigns the state's tensor of this name to a variable. */
  | { readonly kind: 'take'; readonly temp: Temp; readonly multiplied: boolean }
  /** Disposes of tensors after their last use. */
  | { readonly kind: 'free'; readonly temps: readonly Temp[] }
  /** Stores a new value in the state and disposes of the old one. */
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
  /** The inputs of each call. */
  readonly feeds: readonly Port[];
  /** The tensors that persist between calls. */
  readonly state: readonly { readonly temp: Temp; readonly replaced: boolean }[];
  readonly outputs: readonly Port[];
  readonly steps: readonly Step[];
}

/** A tensor that is the same in every call and is created once. */
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
