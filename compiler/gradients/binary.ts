import type { Builder } from '../graphs/builder.ts';
import { scalar } from '../graphs/scalar.ts';
import type { Value } from '../ir/graph.ts';
import type { BinaryName } from '../ir/names.ts';
import { sumTo } from './repeat.ts';
import { type Gradient, type GradientRow, once, operand, perInput } from './rule.ts';

interface Operands {
  readonly build: Builder;
  readonly a: Value;
  readonly b: Value;
  readonly y: Value;
  readonly dy: Value;
  /** Sums a gradient over the axes along which an operand was broadcast. */
  to(operand: Value, gradient: Value): Value;
}

/** Makes the rule of a binary operator from the gradients of a and b. */
function ofTwo<O extends BinaryName>(
  gradients: (at: Operands) => readonly [a: () => Value, b: () => Value],
): Gradient<O> {
  return perInput<O>(({ build, inputs, y, dy }) => {
    const to: Operands['to'] = (x, whole) => sumTo(build, whole, x.type.shape);
    return gradients({ build, a: operand(inputs, 0), b: operand(inputs, 1), y, dy, to });
  });
}

/** dy goes to the selected operand; equal operands get half of it each. */
function ofChosen<O extends BinaryName>(loses: (build: Builder, x: Value, other: Value) => Value): Gradient<O> {
  return ofTwo(({ build, a, b, dy, to }) => {
    const zero = scalar(build, a, 0);
    const share = once(() => build.select(build.eq(a, b), build.mul(dy, scalar(build, dy, 0.5)), dy));
    return [
      () => to(a, build.select(loses(build, a, b), zero, share())),
      () => to(b, build.select(loses(build, b, a), zero, share())),
    ];
  });
}

const tied =
  'Equal operands get half each. So `min(max(x, low), high)` passes half at its bounds, where a `clamp` passes all.';

/** Gradients of binary operators: a and b are the operands, y is the result. */
export const binaryGradients: { readonly [O in BinaryName]: GradientRow<O> } = {
  add: { gradient: ofTwo(({ a, b, dy, to }) => [() => to(a, dy), () => to(b, dy)]) },
  sub: { gradient: ofTwo(({ build, a, b, dy, to }) => [() => to(a, dy), () => build.neg(to(b, dy))]) },
  mul: {
    gradient: ofTwo(({ build, a, b, dy, to }) => [() => to(a, build.mul(dy, b)), () => to(b, build.mul(dy, a))]),
  },
  div: {
    // -dy·y/b. If b was broadcast, the division is done after the sum.
    gradient: ofTwo(({ build, a, b, y, dy, to }) => [
      () => to(a, build.div(dy, b)),
      () => build.neg(build.div(to(b, build.mul(dy, y)), b)),
    ]),
    kinks: 'Infinite where b is 0; in b, NaN where a is 0 too.',
  },
  pow: {
    gradient: ofTwo(({ build, a, b, y, dy, to }) => {
      const zero = scalar(build, a, 0);
      return [
        () => {
          const slope = build.mul(build.pow(a, build.sub(b, scalar(build, b, 1))), b);
          return to(a, build.select(build.eq(b, zero), zero, build.mul(dy, slope)));
        },
        () => {
          const flat = build.and(build.eq(a, zero), build.le(zero, b));
          return to(b, build.select(flat, zero, build.mul(dy, build.mul(y, build.log(a)))));
        },
      ];
    }),
    kinks:
      'In a: 0 where b is 0, for a base of 0 too; else infinite for a base of 0 and b < 1. In b: for a base of 0, 0 where b >= 0 and -inf where b < 0; NaN for a negative base.',
  },
  max: { gradient: ofChosen((build, x, other) => build.lt(x, other)), kinks: tied },
  min: { gradient: ofChosen((build, x, other) => build.lt(other, x)), kinks: tied },
  mod: { gradient: 'none' },
  floordiv: { gradient: 'none' },
  eq: { gradient: 'none' },
  lt: { gradient: 'none' },
  le: { gradient: 'none' },
  and: { gradient: 'none' },
  or: { gradient: 'none' },
};
