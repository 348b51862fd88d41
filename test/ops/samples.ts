import { constant } from '../../compiler/dims/dim.ts';
import type { OpName } from '../../compiler/ir/names.ts';
import type { TensorData, TensorType } from '../../compiler/ir/types.ts';
import { seededRandom, seedOf } from '../../compiler/ops/random.ts';
import type { OpRow, Sample } from '../../compiler/ops/row.ts';
import { ops } from '../../compiler/ops/table.ts';

export function rowOf(op: OpName): OpRow<OpName> {
  return ops[op] as OpRow<OpName>;
}

/** The same samples in every run. */
export function samples(op: OpName, n: number): Sample<OpName>[] {
  const random = seededRandom(seedOf(op));
  return Array.from({ length: n }, () => rowOf(op).sample(random));
}

export function typeOf({ dtype, shape }: TensorData): TensorType {
  return { dtype, shape: shape.map(constant) };
}

/** A type as text, for comparison: dims by their normal form. */
export function spell({ dtype, shape }: TensorType): string {
  return `${dtype}[${shape.map((dim) => dim.key).join(', ')}]`;
}
