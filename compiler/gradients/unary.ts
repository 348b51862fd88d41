import { scalar } from '../graphs/scalar.ts';
import type { UnaryName } from '../ir/names.ts';
import { type GradientRow, ofOne } from './rule.ts';

/** Gradients of unary operators: x is the operand, y is the result. */
export const unaryGradients: { readonly [O in UnaryName]: GradientRow<O> } = {
  neg: { gradient: ofOne(({ build, dy }) => build.neg(dy)) },
  abs: {
    gradient: ofOne(({ build, x, dy }) => {
      const zero = scalar(build, x, 0);
      return build.select(build.lt(x, zero), build.neg(dy), build.select(build.lt(zero, x), dy, zero));
    }),
    kinks: '0 at 0.',
  },
  exp: { gradient: ofOne(({ build, y, dy }) => build.mul(dy, y)) },
  log: { gradient: ofOne(({ build, x, dy }) => build.div(dy, x)), kinks: 'Infinite at 0.' },
  sqrt: {
    gradient: ofOne(({ build, x, y, dy }) => build.div(build.mul(dy, scalar(build, x, 0.5)), y)),
    kinks: 'Infinite at 0.',
  },
  sin: { gradient: ofOne(({ build, x, dy }) => build.mul(dy, build.cos(x))) },
  cos: { gradient: ofOne(({ build, x, dy }) => build.neg(build.mul(dy, build.sin(x)))) },
  tanh: { gradient: ofOne(({ build, x, y, dy }) => build.mul(dy, build.sub(scalar(build, x, 1), build.mul(y, y)))) },
  erf: {
    // The factor 2/√π is moved into the exponent.
    gradient: ofOne(({ build, x, dy }) =>
      build.mul(dy, build.exp(build.sub(scalar(build, x, Math.log(2 / Math.sqrt(Math.PI))), build.mul(x, x)))),
    ),
  },
  sigmoid: {
    gradient: ofOne(({ build, x, y, dy }) => build.mul(dy, build.mul(y, build.sub(scalar(build, x, 1), y)))),
  },
  softplus: { gradient: ofOne(({ build, x, dy }) => build.mul(dy, build.sigmoid(x))) },
  relu: {
    // Tests the result instead of x, because later nodes keep the result in memory anyway.
    gradient: ofOne(({ build, x, y, dy }) => build.select(build.lt(scalar(build, x, 0), y), dy, scalar(build, x, 0))),
    kinks: '0 at 0.',
  },
  floor: { gradient: 'none', kinks: '0, at whole numbers as everywhere.' },
  not: { gradient: 'none' },
};
