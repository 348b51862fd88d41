import { asConstant, type Dim } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { TensorType } from './types.ts';

/** Whether two dims have the same normal form under `facts`: the cheap, syntactic part of `facts.equal`. */
export function sameDim(facts: Facts, a: Dim, b: Dim): boolean {
  return a.key === b.key || facts.normalize(a).key === facts.normalize(b).key;
}

export function sameShape(facts: Facts, a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, axis) => sameDim(facts, dim, b[axis]!));
}

/** Whether two types are written identically: the same dtype, the same rank, and the same text for every dim. */
export function identicalTypes(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && identicalShapes(a.shape, b.shape);
}

export function identicalShapes(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a === b || (a.length === b.length && a.every((dim, axis) => dim.key === b[axis]!.key));
}

/** Returns the sizes of a type without free dims. Throws if a dim is free. */
export function staticShape({ shape }: TensorType): readonly number[] {
  return shape.map((dim) => {
    const size = asConstant(dim);
    if (size === undefined) throw new Error(`bug in crobc: the size ${dim.key} is not known`);
    return size;
  });
}
