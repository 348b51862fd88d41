import type { DType } from '../ir/types.ts';
import { producer } from './match.ts';
import { type Rule, rule } from './rule.ts';

/** The dtypes that hold every value of a dtype. */
const widenings: Readonly<Record<DType, readonly DType[]>> = {
  bool: ['u8', 'i32', 'i64', 'f16', 'f32'],
  u8: ['i32', 'i64', 'f16', 'f32'],
  i32: ['i64'],
  i64: [],
  f16: ['f32'],
  f32: [],
};

/** A cast by way of a dtype that loses nothing goes straight. */
const castByTheWay = rule('cast-by-the-way', ['cast'], 'gradients', (node, { build, miss }) => {
  const inner = producer(node.inputs[0]!, 'cast');
  if (inner === undefined) return miss('the operand is not cast');
  const x = inner.inputs[0]!;
  return widenings[x.type.dtype].includes(inner.attributes.dtype)
    ? build.cast(x, node.attributes.dtype)
    : miss('the cast in between may lose something');
});

export const castRules: readonly Rule[] = [castByTheWay];
