import type { TensorDType } from '../tensors/tensor-dtype.ts';

/** The bytes of tensors in a file, which a pickle refers to by a key. */
export interface PickleStorage {
  readonly kind: 'storage';
  readonly key: string;
  /** Undefined for a storage of bytes without a type. */
  readonly dtype: TensorDType | undefined;
  /** Number of elements; of an untyped storage, of bytes. */
  readonly length: number;
}

/** A view of a storage; offset and strides are in elements. */
export interface PickleTensor {
  readonly kind: 'tensor';
  readonly storage: PickleStorage;
  readonly dtype: TensorDType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

export interface PickleList {
  readonly kind: 'list';
  readonly items: PickleValue[];
}

export interface PickleTuple {
  readonly kind: 'tuple';
  readonly items: readonly PickleValue[];
}

export interface PickleSet {
  readonly kind: 'set';
  readonly items: PickleValue[];
}

export interface PickleDict {
  readonly kind: 'dict';
  /** Whether its class lets it have attributes, as `OrderedDict` does and `dict` does not. They are not kept. */
  readonly hasAttributes: boolean;
  readonly entries: (readonly [PickleValue, PickleValue])[];
}

export interface PickleBytes {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
}

/** A class or function, by its name in Python: `collections.OrderedDict`. */
export interface PickleGlobal {
  readonly kind: 'global';
  readonly name: string;
}

/** An object of a class that is known to be data. It is kept as it was written; nothing is computed. */
export interface PickleObject {
  readonly kind: 'object';
  readonly type: string;
  readonly args: readonly PickleValue[];
  readonly items: PickleValue[];
  readonly entries: (readonly [PickleValue, PickleValue])[];
  state: PickleValue | undefined;
}

/** A value of a pickle. Values may be shared or contain themselves. Integers beyond 2^53 are bigints. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickleList
  | PickleTuple
  | PickleSet
  | PickleDict
  | PickleBytes
  | PickleGlobal
  | PickleObject
  | PickleStorage
  | PickleTensor;

export function tuple(items: readonly PickleValue[]): PickleTuple {
  return { kind: 'tuple', items };
}

export function object(type: string, args: readonly PickleValue[]): PickleObject {
  return { kind: 'object', type, args, items: [], entries: [], state: undefined };
}

/** Returns what kind of value this is, as in "a list". */
export function kindOf(value: PickleValue): string {
  if (value === null) return 'None';
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'boolean') return 'a bool';
  if (typeof value !== 'object') return 'a number';
  switch (value.kind) {
    case 'dict':
      return 'a dict';
    case 'bytes':
      return 'bytes';
    case 'object':
      return `an object of ${value.type}`;
    case 'global':
      return `the class or function ${value.name}`;
    case 'list':
    case 'tuple':
    case 'set':
    case 'storage':
    case 'tensor':
      return `a ${value.kind}`;
  }
}
