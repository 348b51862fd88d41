import { constant, one } from '../dims/dim.ts';
import type { ReduceName } from '../ir/names.ts';
import { perElement } from './cost.ts';
import { largest, reduce, reducedShape } from './kernels/reduce.ts';
import { input } from './kernels/tensor.ts';
import type { OpRow, Random } from './row.ts';
import { anyShape, distinctFloats, floats, halves, integers, numbers, sizes, someAxes } from './sampling.ts';
import { at, inputType, isFloat, isNumeric, type Obligations, typing } from './typing.ts';

export const reducedAxes = 'axes are ascending, without repetition, at least one, and each an axis of x.';
const numeric = 'x is f32 or i32.';

export function proveAxes(prove: Obligations, axes: readonly number[], rank: number): void {
  prove.holds(
    axes.length > 0 && axes.every((axis, i) => Number.isInteger(axis) && axis > (axes[i - 1] ?? -1) && axis < rank),
    reducedAxes,
  );
}

export function sampleReduction(random: Random, draw: typeof floats) {
  const shape = anyShape(random, 1);
  return {
    inputs: [draw(random, shape)],
    attributes: { axes: someAxes(random, shape.length), keep: random.int(0, 1) === 0 },
  };
}

const sum: OpRow<'sum'> = {
  name: 'sum',
  docs: 'The sum along `axes`, which vanish, or stay as 1 with `keep`. One FLOP for each element; i32 wraps.',
  constraints: [numeric, reducedAxes],
  inputs: ['x'],
  memory: 'new',
  elements: 'new',
  half: 'f32',
  infer: (inputs, { axes, keep }, facts) =>
    typing(facts, (prove) => {
      const x = inputType(inputs, 0);
      prove.holds(isNumeric(x.dtype), numeric);
      proveAxes(prove, axes, x.shape.length);
      return [{ dtype: x.dtype, shape: reducedShape(x.shape, axes, keep, one) }];
    }),
  reference: (inputs, { axes, keep }) => [reduce(input(inputs, 0), axes, keep, 0, (total, x) => total + x)],
  cost: (inputs, outputs) => perElement(1, inputType(inputs, 0), inputs, outputs),
  sample: (random) => sampleReduction(random, random.pick([floats, integers])),
};

const reduceMax: OpRow<'reduce_max'> = {
  name: 'reduce_max',
  docs: 'The largest element along `axes`, which vanish, or stay as 1 with `keep`. One FLOP for each element.',
  constraints: [numeric, reducedAxes],
  inputs: ['x'],
  memory: 'new',
  elements: 'moved',
  half: 'operands',
  bf16: 'f32',
  infer: sum.infer,
  reference(inputs, { axes, keep }) {
    const x = input(inputs, 0);
    const lowest = x.dtype === 'i32' ? -(2 ** 31) : Number.NEGATIVE_INFINITY;
    return [reduce(x, axes, keep, lowest, Math.max)];
  },
  cost: sum.cost,
  // `halves` gives ties.
  sample: (random) => sampleReduction(random, random.pick([floats, halves, numbers])),
};

const topkDtype = 'x is f32.';
const topkRank = 'x has at least one axis.';
const topkWhole = 'k is a whole number, at least 1.';
const topkBound = 'k <= the size of the last axis.';
const topk: OpRow<'topk'> = {
  name: 'topk',
  docs: 'The `k` largest elements of the last axis, descending, and their places in it as i32; ties go to the lower index. Counted as one FLOP for each element.',
  constraints: [topkDtype, topkRank, topkWhole, topkBound],
  inputs: ['x'],
  memory: 'new',
  elements: 'new',
  half: 'f32',
  infer: (inputs, { k }, facts) =>
    typing(facts, (prove) => {
      const x = inputType(inputs, 0);
      const last = x.shape.length - 1;
      prove.holds(isFloat(x.dtype), topkDtype);
      prove.holds(last >= 0, topkRank);
      prove.holds(Number.isInteger(k) && k >= 1, topkWhole);
      prove.atMost(constant(k), at(x.shape, last), topkBound, [{ input: 0, axis: last }]);
      const shape = [...x.shape.slice(0, -1), constant(k)];
      return [
        { dtype: x.dtype, shape },
        { dtype: 'i32', shape },
      ];
    }),
  reference: (inputs, { k }) => largest(input(inputs, 0), k),
  cost: (inputs, outputs) => perElement(1, inputType(inputs, 0), inputs, outputs),
  sample(random) {
    const shape = [...sizes(random, random.int(0, 2)), random.int(1, 9)];
    return { inputs: [distinctFloats(random, shape)], attributes: { k: random.int(1, shape.at(-1) ?? 1) } };
  },
};

/** Reductions along axes. */
export const reduceRows: { readonly [O in ReduceName]: OpRow<O> } = { sum, reduce_max: reduceMax, topk };
