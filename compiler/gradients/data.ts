import { scalar } from '../graphs/scalar.ts';
import type { DataName } from '../ir/names.ts';
import { at } from '../ops/typing.ts';
import {
  broadcastGradient,
  concatGradient,
  padGradient,
  reshapeGradient,
  sliceGradient,
  transposeGradient,
} from './layout.ts';
import { sumTo } from './repeat.ts';
import { type GradientRow, ofOne, operand, perInput } from './rule.ts';

/** Gradients of operators that create, move and select elements. */
export const dataGradients: { readonly [O in DataName]: GradientRow<O> } = {
  constant: { gradient: 'none' },
  full: { gradient: 'none' },
  iota: { gradient: 'none' },
  dim: { gradient: 'none' },
  uniform: { gradient: 'none' },
  stop_gradient: { gradient: 'none' },
  barrier: { gradient: perInput(({ dy }) => [() => dy, undefined]) },
  reshape: { gradient: reshapeGradient },
  transpose: { gradient: transposeGradient },
  broadcast: { gradient: broadcastGradient },
  concat: { gradient: concatGradient },
  slice: { gradient: sliceGradient },
  pad: { gradient: padGradient },
  gather: {
    gradient: perInput(({ build, inputs, dy }) => {
      const [x, index] = [operand(inputs, 0), operand(inputs, 1)];
      return [() => build.scatterAdd(index, dy, at(x.type.shape, 0))];
    }),
  },
  scatter_add: {
    gradient: perInput(({ build, inputs, dy }) => [undefined, () => build.gather(dy, operand(inputs, 0))]),
  },
  select: {
    gradient: perInput(({ build, inputs, dy }) => {
      const [condition, a, b] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
      const zeros = scalar(build, dy, 0);
      return [
        undefined,
        () => sumTo(build, build.select(condition, dy, zeros), a.type.shape),
        () => sumTo(build, build.select(condition, zeros, dy), b.type.shape),
      ];
    }),
  },
  cast: { gradient: ofOne(({ build, x, dy }) => build.cast(dy, x.type.dtype)) },
};
