import { add, type Dim, zero } from '../dims/dim.ts';
import type { DType, TensorData } from '../ir/types.ts';
import { broadcastConstraint, broadcastShapes } from './broadcasting.ts';
import { bytes, elements, movement } from './cost.ts';
import { choose, map } from './kernels/elementwise.ts';
import { gatherRows, scatterAddRows } from './kernels/rows.ts';
import { allocate, copy, input, sizeOf } from './kernels/tensor.ts';
import type { OpRow } from './row.ts';
import { alignedShapes, anyShape, bools, dims, floats, integers, numbers, sizes } from './sampling.ts';
import { at, inputType, isNumeric, typing } from './typing.ts';

const indexDtype = 'The index is i32.';

const gatherRank = 'x has at least one axis.';
const gather: OpRow<'gather'> = {
  name: 'gather',
  docs: 'Rows of `x` by number: `(x[N, ...R], index: i32[...I]) -> [...I, ...R]`. Every index lies in 0..N-1; another one is an error, never a wrap.',
  constraints: [indexDtype, gatherRank],
  inputs: ['x', 'index'],
  memory: 'new',
  elements: 'moved',
  half: 'operands',
  rowNumbers: (inputs) => ({ input: 1, rows: at(inputType(inputs, 0).shape, 0) }),
  infer: (inputs, _attributes, facts) =>
    typing(facts, (prove) => {
      const [x, index] = [inputType(inputs, 0), inputType(inputs, 1)];
      prove.holds(index.dtype === 'i32', indexDtype);
      prove.holds(x.shape.length >= 1, gatherRank);
      return [{ dtype: x.dtype, shape: [...index.shape, ...x.shape.slice(1)] }];
    }),
  reference: (inputs) => [gatherRows(input(inputs, 0), input(inputs, 1))],
  // Only the selected rows are read.
  cost(inputs, outputs) {
    const rows = bytes(inputType(outputs, 0));
    return { flops: zero, bytes: add(bytes(inputType(inputs, 1)), add(rows, rows)) };
  },
  sample(random) {
    const x = numbers(random, sizes(random, random.int(1, 4)));
    const index = integers(random, sizes(random, random.int(0, 3)), 0, x.shape[0]! - 1);
    return { inputs: [x, index], attributes: {} };
  },
};

const scatterDtype = 'The updates are f32 or i32.';
const scatterRows = 'rows is at least 1.';
const scatterShape = "The leading axes of the updates are the index's axes.";
const scatterApart = 'With apart, the index has an axis.';
const scatterAdd: OpRow<'scatter_add'> = {
  name: 'scatter_add',
  docs: 'Zeros of `[rows, ...R]` with the updates added to the rows that the index names: `(index: i32[...I], updates[...I, ...R]) -> [rows, ...R]`. Updates to the same row add up. Every index lies in 0..rows-1; another one is an error, never a wrap. `apart` promises that the k-th entry along the first axis of the index names rows of the k-th of as many equal parts only, so that parts can be summed apart. One FLOP for each update.',
  constraints: [indexDtype, scatterDtype, scatterRows, scatterShape, scatterApart],
  inputs: ['index', 'updates'],
  memory: 'new',
  elements: 'new',
  half: 'f32',
  rowNumbers: (_inputs, { rows }) => ({ input: 0, rows }),
  infer: (inputs, { rows, apart }, facts) =>
    typing(facts, (prove) => {
      const [index, updates] = [inputType(inputs, 0), inputType(inputs, 1)];
      prove.holds(index.dtype === 'i32', indexDtype);
      prove.holds(isNumeric(updates.dtype), scatterDtype);
      prove.positive(rows, scatterRows);
      prove.holds(index.shape.length <= updates.shape.length, scatterShape);
      for (const [axis, dim] of index.shape.entries())
        prove.equal(dim, at(updates.shape, axis), scatterShape, [
          { input: 0, axis },
          { input: 1, axis },
        ]);
      prove.holds(!apart || index.shape.length > 0, scatterApart);
      return [{ dtype: updates.dtype, shape: [rows, ...updates.shape.slice(index.shape.length)] }];
    }),
  reference: (inputs, { rows, apart }) => [scatterAddRows(input(inputs, 0), input(inputs, 1), sizeOf(rows), apart)],
  cost: (inputs, outputs) => ({ flops: elements(inputType(inputs, 1)), bytes: movement(inputs, outputs).bytes }),
  sample(random) {
    const apart = random.int(0, 1) === 1;
    const shape = sizes(random, random.int(apart ? 1 : 0, 3));
    const [parts, each] = [apart ? shape[0]! : 1, random.int(1, 5)];
    const within = integers(random, shape, 0, each - 1);
    const run = within.data.length / parts;
    const index = { ...within, data: within.data.map((row, i) => row + each * Math.floor(i / run)) };
    const updates = numbers(random, [...shape, ...sizes(random, random.int(0, 2))]);
    return { inputs: [index, updates], attributes: { rows: dims([parts * each])[0] as Dim, apart } };
  },
};

const conditionDtype = 'The condition is bool.';
const branchDtype = 'Both branches have the same dtype.';
const select: OpRow<'select'> = {
  name: 'select',
  docs: '`a` where the condition holds, else `b`, element by element; the three broadcast. Branches of any dtype.',
  constraints: [conditionDtype, branchDtype, broadcastConstraint],
  inputs: ['condition', 'a', 'b'],
  memory: 'element',
  elements: 'own',
  half: 'operands',
  infer: (inputs, _attributes, facts) =>
    typing(facts, (prove) => {
      const [condition, a, b] = [inputType(inputs, 0), inputType(inputs, 1), inputType(inputs, 2)];
      prove.holds(condition.dtype === 'bool', conditionDtype);
      prove.holds(a.dtype === b.dtype, branchDtype);
      const shape = broadcastShapes(
        prove,
        inputs.map((x) => x.shape),
      );
      return [{ dtype: a.dtype, shape }];
    }),
  reference: (inputs) => [choose(input(inputs, 0), input(inputs, 1), input(inputs, 2))],
  cost: movement,
  sample(random) {
    const [condition = [], a = [], b = []] = alignedShapes(random, 3);
    const draw = random.pick([floats, integers, bools]);
    return { inputs: [bools(random, condition), draw(random, a), draw(random, b)], attributes: {} };
  },
};

const cast: OpRow<'cast'> = {
  name: 'cast',
  docs: 'The same numbers in another dtype. A float loses its fraction (towards zero) in an integer; anything but 0 is true in bool; bool is 0 and 1. A float outside the range of an integer dtype is unspecified.',
  constraints: [],
  inputs: ['x'],
  memory: 'moved',
  elements: 'own',
  half: 'operands',
  free: true,
  infer: (inputs, { dtype }) => ({ types: [{ dtype, shape: inputType(inputs, 0).shape }] }),
  reference: (inputs, { dtype }) => [castTo(input(inputs, 0), dtype)],
  cost: movement,
  sample(random) {
    const shape = anyShape(random);
    const from = random.pick(['f32', 'i32', 'bool', 'i64', 'u8'] as const);
    const dtype = random.pick(['f32', 'i32', 'bool', 'i64', 'u8'] as const);
    // The result of a cast is unspecified for numbers that u8 cannot hold.
    const lo = from === 'u8' || dtype === 'u8' ? 0 : -9;
    const drawn = from === 'f32' ? floats(random, shape, lo, 9) : integers(random, shape, lo, from === 'bool' ? 1 : 9);
    return { inputs: [from === 'f32' ? drawn : castTo(drawn, from)], attributes: { dtype } };
  },
};

function castTo(x: TensorData, dtype: DType): TensorData {
  if (dtype === 'bool') return map(dtype, x, (value) => (value === 0 ? 0 : 1));
  if (dtype === 'i64') return map(dtype, x, Math.trunc);
  // Storing in a typed integer array truncates; float64 storage would not.
  if (x.data.constructor !== allocate(dtype, 0).constructor || dtype === 'f32' || dtype === 'f16')
    return { dtype, shape: x.shape, data: copy(dtype, x.data) };
  return { ...x, dtype };
}

/** Operators that select elements by the contents of other tensors, and `cast`. */
export const indexingRows = { gather, scatter_add: scatterAdd, select, cast };
