import type { DType } from '../ir/types.ts';
import { named, operators, value, where } from './patterns/construct.ts';
import { type Rule, rewrite, rule } from './rule.ts';

const { cast } = operators;
const x = value('x');

/** For each dtype, the dtypes that can hold all of its values. */
const widenings: Readonly<Record<DType, readonly DType[]>> = {
  bool: ['u8', 'i32', 'i64', 'f16', 'bf16', 'f32'],
  u8: ['i32', 'i64', 'f16', 'bf16', 'f32'],
  i32: ['i64'],
  i64: [],
  f16: ['f32'],
  bf16: ['f32'],
  f32: [],
};

/** Two casts become one if the dtype in between loses nothing. */
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
