import type { DType } from '../ir/types.ts';
import { named, operators, value, where } from './patterns/construct.ts';
import { type Rule, rewrite, rule } from './rule.ts';

const { cast } = operators;
const x = value('x');

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
const castByTheWay = rule(
  'cast-by-the-way',
  'gradients',
  rewrite(
    where(cast(named('inner', cast(x))), 'the cast in between loses nothing', ({ x, inner }) =>
      widenings[x.type.dtype].includes(inner.attributes.dtype),
    ),
    ({ x }, { build, node }) => build.cast(x, node.attributes.dtype),
  ),
);

export const castRules: readonly Rule[] = [castByTheWay];
