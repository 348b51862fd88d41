import { add, constant, floorDiv, product, sub, sum, zero } from '../dims/dim.ts';
import type { TensorType } from '../ir/types.ts';
import { broadcastConstraint } from './broadcasting.ts';
import { bytes, free, movement } from './cost.ts';
import { allocate, broadcastStrides, count, input, places, put, sizeOf, stridesOf, take } from './kernels/tensor.ts';
import type { Cost, OpRow } from './row.ts';
import { alignedShapes, anyShape, bools, dims, floats, integers, numbers, shuffled } from './sampling.ts';
import { at, inputType, positiveShape, provedEqual, provedOne, representable, typing } from './typing.ts';

const positive = 'Every dim of the new shape is at least 1.';

const sameCount = 'The new shape has as many elements as the input.';
const reshape: OpRow<'reshape'> = {
  name: 'reshape',
  docs: 'The same elements in row-major order under another shape. Costs nothing: it is a view.',
  constraints: [sameCount, positive],
  inputs: ['x'],
  memory: 'same',
  elements: 'moved',
  half: 'operands',
  free: true,
  infer: (inputs, { shape }, facts) =>
    typing(facts, (prove) => {
      const x = inputType(inputs, 0);
      // Checked first, because a size that does not divide explains more than the empty axis that may result.
      prove.equal(product(x.shape), product(shape), sameCount);
      positiveShape(prove, shape, positive);
      return [{ dtype: x.dtype, shape }];
    }),
  reference(inputs, { shape }) {
    const { dtype, data } = input(inputs, 0);
    return [{ dtype, shape: shape.map(sizeOf), data }];
  },
  cost: () => free,
  sample(random) {
    const shape = anyShape(random);
    const merged = shape.slice();
    for (let merges = random.int(0, 2); merges > 0 && merged.length > 1; merges--) {
      const axis = random.int(0, merged.length - 2);
      merged.splice(axis, 2, merged[axis]! * merged[axis + 1]!);
    }
    if (random.int(0, 1) === 0) merged.splice(random.int(0, merged.length), 0, 1);
    const [from, to] = random.int(0, 1) === 0 ? [shape, merged] : [merged, shape];
    return { inputs: [numbers(random, from)], attributes: { shape: dims(to) } };
  },
};

const permutation = 'perm names every axis of the input once.';
const transpose: OpRow<'transpose'> = {
  name: 'transpose',
  docs: "Axes in another order: the result's axis `i` is the input's axis `perm[i]`.",
  constraints: [permutation],
  inputs: ['x'],
  memory: 'moved',
  elements: 'moved',
  half: 'operands',
  free: true,
  infer: (inputs, { perm }, facts) =>
    typing(facts, (prove) => {
      const x = inputType(inputs, 0);
      const isWhole = x.shape.every((_, axis) => perm.includes(axis));
      prove.holds(isWhole && perm.length === x.shape.length, permutation);
      return [{ dtype: x.dtype, shape: perm.map((axis) => at(x.shape, axis)) }];
    }),
  reference(inputs, { perm }) {
    const { dtype, shape, data } = input(inputs, 0);
    const sizes = perm.map((axis) => shape[axis]!);
    const strides = stridesOf(shape);
    const from = places(
      sizes,
      perm.map((axis) => strides[axis]!),
    );
    return [{ dtype, shape: sizes, data: take(dtype, data, from) }];
  },
  cost: movement,
  sample(random) {
    const x = numbers(random, anyShape(random));
    return { inputs: [x], attributes: { perm: shuffled(random, x.shape.length) } };
  },
};

const notDeeper = 'The new shape has at least as many axes as the input.';
const broadcast: OpRow<'broadcast'> = {
  name: 'broadcast',
  docs: 'The input repeated to `shape`, by trailing alignment: new axes in front, axes of size 1 repeated.',
  constraints: [notDeeper, positive, broadcastConstraint],
  inputs: ['x'],
  memory: 'moved',
  elements: 'moved',
  half: 'operands',
  free: true,
  infer: (inputs, { shape }, facts) =>
    typing(facts, (prove) => {
      const x = inputType(inputs, 0);
      prove.holds(x.shape.length <= shape.length, notDeeper);
      positiveShape(prove, shape, positive);
      for (const [axis, own] of x.shape.entries()) {
        const wanted = at(shape, axis + shape.length - x.shape.length);
        if (!provedEqual(facts, own, wanted) && !provedOne(facts, own))
          prove.disagree(own, wanted, broadcastConstraint, [{ input: 0, axis }]);
      }
      return [{ dtype: x.dtype, shape }];
    }),
  reference(inputs, { shape }) {
    const x = input(inputs, 0);
    const sizes = shape.map(sizeOf);
    const from = places(sizes, broadcastStrides(x.shape, sizes));
    return [{ dtype: x.dtype, shape: sizes, data: take(x.dtype, x.data, from) }];
  },
  cost: movement,
  sample(random) {
    const [shape = []] = alignedShapes(random, 1);
    const to = shape.map((size) => (size === 1 ? random.int(1, 3) : size));
    const front = Array.from({ length: random.int(0, Math.max(0, 6 - to.length)) }, () => random.int(1, 2));
    return { inputs: [numbers(random, shape)], attributes: { shape: dims([...front, ...to]) } };
  },
};

const someInput = 'There is at least one input.';
const concatDtype = 'The inputs have the same dtype.';
const concatRank = 'The inputs have the same number of axes, and `axis` is one of them.';
const concatSizes = 'The inputs have the same size along every axis but `axis`.';
const concat: OpRow<'concat'> = {
  name: 'concat',
  docs: 'The inputs one after another along `axis`. Takes any number of inputs.',
  constraints: [someInput, concatDtype, concatRank, concatSizes],
  inputs: ['xs...'],
  memory: 'moved',
  elements: 'moved',
  half: 'operands',
  infer: (inputs, { axis }, facts) =>
    typing(facts, (prove) => {
      prove.holds(inputs.length > 0, someInput);
      const first = inputType(inputs, 0);
      const rank = first.shape.length;
      for (const x of inputs) prove.holds(x.dtype === first.dtype, concatDtype);
      for (const x of inputs) prove.holds(x.shape.length === rank && isAxis(axis, rank), concatRank);
      for (const [i, x] of inputs.entries())
        for (const [other, dim] of x.shape.entries())
          if (other !== axis)
            prove.equal(at(first.shape, other), dim, concatSizes, [
              { input: 0, axis: other },
              { input: i, axis: other },
            ]);
      const joined = sum(inputs.map((x) => at(x.shape, axis)));
      return [{ dtype: first.dtype, shape: first.shape.map((dim, other) => (other === axis ? joined : dim)) }];
    }),
  reference(inputs, { axis }) {
    const first = input(inputs, 0);
    const shape = first.shape.slice();
    shape[axis] = inputs.reduce((total, x) => total + x.shape[axis]!, 0);
    const data = allocate(first.dtype, count(shape));
    const strides = stridesOf(shape);
    let start = 0;
    for (const x of inputs) {
      put(data, places(x.shape, strides, start), x.data);
      start += x.shape[axis]! * strides[axis]!;
    }
    return [{ dtype: first.dtype, shape, data }];
  },
  cost: movement,
  sample(random) {
    const shape = anyShape(random, 1);
    const axis = random.int(0, shape.length - 1);
    const draw = random.pick([floats, integers, bools]);
    const inputs = Array.from({ length: random.int(1, 4) }, () =>
      draw(
        random,
        shape.map((size, other) => (other === axis ? random.int(1, 3) : size)),
      ),
    );
    return { inputs, attributes: { axis } };
  },
};

const sliceEntries = 'start, stop and step have one entry for each axis.';
const sliceStep = 'Every step is a whole number, at least 1.';
const sliceStart = '0 <= start.';
const sliceFilled = 'start < stop: at least one element is kept.';
const sliceStop = 'stop <= the size of the axis.';
const slice: OpRow<'slice'> = {
  name: 'slice',
  docs: 'Along each axis the elements `start`, `start + step`, … before `stop`.',
  constraints: [sliceEntries, sliceStep, sliceStart, sliceFilled, sliceStop],
  inputs: ['x'],
  memory: 'moved',
  elements: 'moved',
  half: 'operands',
  infer: (inputs, { start, stop, step }, facts) =>
    typing(facts, (prove) => {
      const x = inputType(inputs, 0);
      const rank = x.shape.length;
      prove.holds(start.length === rank && stop.length === rank && step.length === rank, sliceEntries);
      prove.holds(
        step.every((by) => Number.isInteger(by) && by >= 1),
        sliceStep,
      );
      const shape = x.shape.map((size, axis) => {
        const [from, to, by] = [at(start, axis), at(stop, axis), step[axis]!];
        const here = [{ input: 0, axis }];
        prove.atMost(zero, from, sliceStart, here);
        prove.lessThan(from, to, sliceFilled, here);
        if (to.key !== size.key) prove.atMost(to, size, sliceStop, here);
        return floorDiv(add(sub(to, from), constant(by - 1)), by);
      });
      return [{ dtype: x.dtype, shape }];
    }),
  reference(inputs, { start, stop, step }) {
    const { dtype, shape, data } = input(inputs, 0);
    const strides = stridesOf(shape);
    const sizes = shape.map((_, axis) => Math.ceil((sizeOf(stop[axis]!) - sizeOf(start[axis]!)) / step[axis]!));
    const first = start.reduce((offset, from, axis) => offset + sizeOf(from) * strides[axis]!, 0);
    const from = places(
      sizes,
      strides.map((stride, axis) => stride * step[axis]!),
      first,
    );
    return [{ dtype, shape: sizes, data: take(dtype, data, from) }];
  },
  cost: (_inputs, outputs) => readAndWritten(outputs),
  sample(random) {
    const shape = anyShape(random);
    const start = shape.map((size) => random.int(0, size - 1));
    const stop = shape.map((size, axis) => random.int(start[axis]! + 1, size));
    const step = shape.map(() => random.pick([1, 1, 2, 3]));
    return { inputs: [numbers(random, shape)], attributes: { start: dims(start), stop: dims(stop), step } };
  },
};

const padEntries = 'low and high have one entry for each axis.';
const padValue = "The value is one that the input's dtype can hold.";
const padWidths = '0 <= low and 0 <= high.';
const pad: OpRow<'pad'> = {
  name: 'pad',
  docs: '`low` elements of `value` before each axis and `high` after it.',
  constraints: [padEntries, padValue, padWidths],
  inputs: ['x'],
  memory: 'moved',
  elements: 'moved',
  half: 'operands',
  infer: (inputs, { low, high, value }, facts) =>
    typing(facts, (prove) => {
      const x = inputType(inputs, 0);
      prove.holds(low.length === x.shape.length && high.length === x.shape.length, padEntries);
      prove.holds(representable(value, x.dtype), padValue);
      const shape = x.shape.map((size, axis) => {
        for (const width of [at(low, axis), at(high, axis)]) prove.atMost(zero, width, padWidths, [{ input: 0, axis }]);
        return sum([at(low, axis), size, at(high, axis)]);
      });
      return [{ dtype: x.dtype, shape }];
    }),
  reference(inputs, { low, high, value }) {
    const x = input(inputs, 0);
    const shape = x.shape.map((size, axis) => sizeOf(low[axis]!) + size + sizeOf(high[axis]!));
    const strides = stridesOf(shape);
    const data = allocate(x.dtype, count(shape)).fill(value);
    const first = low.reduce((offset, width, axis) => offset + sizeOf(width) * strides[axis]!, 0);
    put(data, places(x.shape, strides, first), x.data);
    return [{ dtype: x.dtype, shape, data }];
  },
  cost: movement,
  sample(random) {
    const shape = anyShape(random);
    const widths = () => dims(shape.map(() => random.pick([0, 0, 1, 2])));
    return {
      inputs: [numbers(random, shape)],
      attributes: { low: widths(), high: widths(), value: random.int(-3, 3) },
    };
  },
};

function isAxis(axis: number, rank: number): boolean {
  return Number.isInteger(axis) && 0 <= axis && axis < rank;
}

/** The cost of reading only the part of the input that is kept. */
function readAndWritten(outputs: readonly TensorType[]): Cost {
  const kept = bytes(inputType(outputs, 0));
  return { flops: zero, bytes: add(kept, kept) };
}

/** Operators that rearrange the elements of a tensor. */
export const layoutRows = { reshape, transpose, broadcast, concat, slice, pad };
