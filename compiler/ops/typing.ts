import { asConstant, constant, type Dim, one, overflow } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { DType, HalfType, TensorType } from '../ir/types.ts';
import type { NonEmpty } from '../lists.ts';
import type { Inferred, OpFault, Relation } from './row.ts';

/** An axis of an input, for the provenance chain of a fault. */
export interface AxisOf {
  readonly input: number;
  readonly axis: number;
}

/** Carries a fault out of nested rules; `typing` catches it. */
class Mistyped extends Error {
  readonly fault: OpFault;
  constructor(fault: OpFault) {
    super(fault.constraint);
    this.fault = fault;
  }
}

/** The proof obligations of a shape rule. Each method ends the rule with a fault if its obligation is not proved. */
export class Obligations {
  readonly facts: Facts;

  constructor(facts: Facts) {
    this.facts = facts;
  }

  holds(condition: boolean, constraint: string, at?: readonly AxisOf[]): void {
    if (!condition) throw new Mistyped({ constraint, ...(at === undefined ? {} : { at }) });
  }

  equal(left: Dim, right: Dim, constraint: string, at?: readonly AxisOf[]): void {
    if (!provedEqual(this.facts, left, right)) this.disagree(left, right, constraint, at);
  }

  atMost(left: Dim, right: Dim, constraint: string, at?: readonly AxisOf[]): void {
    if (isOwed(left, right) && this.facts.lessEqual(left, right).answer !== 'proved')
      owe('<=', left, right, constraint, at);
  }

  lessThan(left: Dim, right: Dim, constraint: string, at?: readonly AxisOf[]): void {
    if (isOwed(left, right) && this.facts.lessThan(left, right).answer !== 'proved')
      owe('<', left, right, constraint, at);
  }

  /** Requires 1 <= dim. */
  positive(dim: Dim, constraint: string, at?: readonly AxisOf[]): void {
    const n = asConstant(dim);
    if (n === undefined || n < 1) this.atMost(one, dim, constraint, at);
  }

  divides(modulus: number, dim: Dim, constraint: string, at?: readonly AxisOf[]): void {
    if (dim !== overflow && this.facts.divides(modulus, dim).answer !== 'proved')
      owe('%', dim, constant(modulus), constraint, at);
  }

  disagree(left: Dim, right: Dim, constraint: string, at?: readonly AxisOf[]): never {
    owe('==', left, right, constraint, at);
  }
}

function owe(relation: Relation, left: Dim, right: Dim, constraint: string, at?: readonly AxisOf[]): never {
  throw new Mistyped({ constraint, left, right, relation, ...(at === undefined ? {} : { at }) });
}

/** Runs a shape rule; returns its result types, or the first obligation that is not proved under `facts`. */
export function typing(facts: Facts, rule: (prove: Obligations) => NonEmpty<TensorType>): Inferred {
  try {
    return { types: rule(new Obligations(facts)) };
  } catch (error) {
    if (error instanceof Mistyped) return { fault: error.fault };
    throw error;
  }
}

/** A size beyond 2^53 is reported where it first occurs, so it causes no further faults. */
function isOwed(left: Dim, right: Dim): boolean {
  return left !== overflow && right !== overflow;
}

export function provedEqual(facts: Facts, left: Dim, right: Dim): boolean {
  return left.key === right.key || !isOwed(left, right) || facts.proves({ kind: 'eq', left, right });
}

export function provedOne(facts: Facts, dim: Dim): boolean {
  return provedEqual(facts, dim, one);
}

export const isFloat = (dtype: DType): dtype is 'f32' | HalfType => dtype === 'f32' || isHalf(dtype);
export const isHalf = (dtype: DType): dtype is HalfType => dtype === 'f16' || dtype === 'bf16';
export const isNumeric = (dtype: DType): boolean => isFloat(dtype) || dtype === 'i32';

/** Returns the type of the i-th input. Throws if it is missing, which is a bug, since arity is static. */
export function inputType(inputs: readonly TensorType[], i: number): TensorType {
  const type = inputs[i];
  if (type === undefined) throw new Error(`bug in crobc: operator input ${i} is missing`);
  return type;
}

export function at(shape: readonly Dim[], axis: number): Dim {
  const dim = shape[axis];
  if (dim === undefined) throw new Error(`bug in crobc: no axis ${axis} in a shape of rank ${shape.length}`);
  return dim;
}

/** Requires every dim of a static shape to be at least 1. */
export function positiveShape(prove: Obligations, shape: readonly Dim[], constraint: string): void {
  for (const dim of shape) prove.positive(dim, constraint);
}

const integerRange: Partial<Record<DType, readonly [number, number]>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  i64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  u8: [0, 255],
  bool: [0, 1],
};
const largestFloat: Partial<Record<DType, number>> = {
  f32: 3.4028234663852886e38,
  f16: 65504,
  bf16: 3.3895313892515355e38,
};

/** Whether the dtype can hold a fill value: floats may be infinite, and NaN is never allowed. */
export function representable(value: number, dtype: DType): boolean {
  const range = integerRange[dtype];
  if (range !== undefined) return Number.isInteger(value) && range[0] <= value && value <= range[1];
  const largest = largestFloat[dtype] ?? Number.POSITIVE_INFINITY;
  return !Number.isNaN(value) && (Math.abs(value) <= largest || Math.abs(value) === Number.POSITIVE_INFINITY);
}
