import { describe, expect, test } from 'vitest';
import { constant } from '../../compiler/dims/dim.ts';
import type { OpAttributes, OpName } from '../../compiler/ir/names.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { erf } from '../../compiler/ops/kernels/erf.ts';
import { ops } from '../../compiler/ops/table.ts';

const f32 = (shape: number[], data: number[]): TensorData => ({ dtype: 'f32', shape, data: Float64Array.from(data) });
const i32 = (shape: number[], data: number[]): TensorData => ({ dtype: 'i32', shape, data: Int32Array.from(data) });
const bool = (shape: number[], data: number[]): TensorData => ({ dtype: 'bool', shape, data: Uint8Array.from(data) });
const dims = (...sizes: number[]) => sizes.map(constant);

function run<O extends OpName>(op: O, inputs: readonly TensorData[], attributes: OpAttributes[O]): TensorData[] {
  return [...ops[op].reference(inputs, attributes)];
}
function result<O extends OpName>(op: O, inputs: readonly TensorData[], attributes: OpAttributes[O]) {
  const [out] = run(op, inputs, attributes);
  return { dtype: out!.dtype, shape: [...out!.shape], data: [...out!.data] };
}
const counting = (...shape: number[]) =>
  f32(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  );

describe('sources', () => {
  test('full, iota, dim and constant', () => {
    expect(result('full', [], { value: 1, dtype: 'bool', shape: dims(2, 2) })).toEqual({
      dtype: 'bool',
      shape: [2, 2],
      data: [1, 1, 1, 1],
    });
    expect(result('iota', [], { n: constant(3) })).toEqual({ dtype: 'i32', shape: [3], data: [0, 1, 2] });
    expect(result('dim', [], { value: constant(-4) })).toEqual({ dtype: 'i32', shape: [], data: [-4] });
    expect(result('constant', [], { tensor: i32([2], [5, 6]) })).toEqual({ dtype: 'i32', shape: [2], data: [5, 6] });
  });
  test('uniform depends on its key alone and lies in [0, 1)', () => {
    const a = result('uniform', [], { shape: dims(1000), key: 'a' });
    expect(result('uniform', [], { shape: dims(1000), key: 'a' })).toEqual(a);
    expect(result('uniform', [], { shape: dims(1000), key: 'b' })).not.toEqual(a);
    expect(Math.min(...a.data)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...a.data)).toBeLessThan(1);
    expect(a.data.reduce((sum, x) => sum + x, 0) / 1000).toBeCloseTo(0.5, 1);
  });
});

describe('layout', () => {
  test('transpose', () => {
    expect(result('transpose', [counting(2, 3)], { perm: [1, 0] }).data).toEqual([0, 3, 1, 4, 2, 5]);
    expect(result('transpose', [counting(2, 1, 3)], { perm: [2, 0, 1] })).toEqual({
      dtype: 'f32',
      shape: [3, 2, 1],
      data: [0, 3, 1, 4, 2, 5],
    });
  });
  test('reshape keeps row-major order', () => {
    expect(result('reshape', [counting(2, 3)], { shape: dims(3, 2) })).toEqual({
      dtype: 'f32',
      shape: [3, 2],
      data: [0, 1, 2, 3, 4, 5],
    });
  });
  test('broadcast in front and inside', () => {
    expect(result('broadcast', [f32([2, 1], [1, 2])], { shape: dims(2, 2, 3) }).data).toEqual([
      1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2,
    ]);
  });
  test('concat on an inner axis', () => {
    expect(result('concat', [counting(2, 1), f32([2, 2], [7, 8, 9, 10])], { axis: 1 })).toEqual({
      dtype: 'f32',
      shape: [2, 3],
      data: [0, 7, 8, 1, 9, 10],
    });
  });
  test('slice with a step', () => {
    expect(result('slice', [counting(3, 5)], { start: dims(1, 0), stop: dims(3, 5), step: [1, 2] })).toEqual({
      dtype: 'f32',
      shape: [2, 3],
      data: [5, 7, 9, 10, 12, 14],
    });
  });
  test('pad', () => {
    expect(result('pad', [i32([1, 2], [1, 2])], { low: dims(1, 0), high: dims(0, 1), value: 9 })).toEqual({
      dtype: 'i32',
      shape: [2, 3],
      data: [9, 9, 9, 1, 2, 9],
    });
  });
});

describe('indexing', () => {
  test('gather takes rows of any width', () => {
    expect(result('gather', [counting(3, 2), i32([2, 2], [2, 0, 0, 1])], {})).toEqual({
      dtype: 'f32',
      shape: [2, 2, 2],
      data: [4, 5, 0, 1, 0, 1, 2, 3],
    });
    expect(result('gather', [counting(3), i32([], [2])], {})).toEqual({ dtype: 'f32', shape: [], data: [2] });
  });
  test('scatter_add adds duplicates', () => {
    expect(result('scatter_add', [i32([3], [1, 1, 0]), counting(3, 2)], { rows: constant(3), apart: false })).toEqual({
      dtype: 'f32',
      shape: [3, 2],
      data: [4, 5, 2, 4, 0, 0],
    });
  });
  test('an index outside is an error, not a wrap', () => {
    expect(() => run('gather', [counting(3), i32([1], [3])], {})).toThrow('index 3 is outside 0..2');
    expect(() => run('gather', [counting(3), i32([1], [-1])], {})).toThrow('index -1 is outside 0..2');
    expect(() => run('scatter_add', [i32([1], [3]), counting(1)], { rows: constant(3), apart: false })).toThrow(
      'outside 0..2',
    );
  });
  test('select broadcasts all three', () => {
    expect(result('select', [bool([2, 1], [1, 0]), i32([], [7]), i32([2], [1, 2])], {})).toEqual({
      dtype: 'i32',
      shape: [2, 2],
      data: [7, 7, 1, 2],
    });
  });
  test('cast', () => {
    expect(result('cast', [f32([4], [-1.7, 1.7, 0, 0.2])], { dtype: 'i32' }).data).toEqual([-1, 1, 0, 0]);
    expect(result('cast', [f32([3], [-1.7, 0, 0.2])], { dtype: 'bool' }).data).toEqual([1, 0, 1]);
    expect(result('cast', [f32([2], [-1.7, 2.9])], { dtype: 'i64' })).toEqual({
      dtype: 'i64',
      shape: [2],
      data: [-1, 2],
    });
    expect(result('cast', [bool([2], [0, 1])], { dtype: 'f32' })).toEqual({ dtype: 'f32', shape: [2], data: [0, 1] });
    expect(result('cast', [{ dtype: 'i64', shape: [1], data: Float64Array.of(5) }], { dtype: 'f32' }).dtype).toBe(
      'f32',
    );
  });
});

describe('elementwise', () => {
  // Abramowitz and Stegun, table 7.1, to its ten digits.
  test.each([
    [0, 0],
    [0.1, 0.112462916],
    [0.5, 0.5204998778],
    [1, 0.8427007929],
    [2, 0.995322265],
    [-1.5, -0.9661051465],
  ])('erf(%d) = %d', (x, y) => expect(erf(x)).toBeCloseTo(y, 9));
  test('erf saturates without a jump', () => {
    expect(erf(7)).toBe(1);
    expect(erf(-7)).toBe(-1);
    expect(erf(5.9999)).toBeCloseTo(1, 14);
    expect(erf(Number.NaN)).toBeNaN();
  });
  test.each<[OpName, number[], number[]]>([
    ['neg', [1, -2], [-1, 2]],
    ['abs', [1, -2], [1, 2]],
    ['exp', [0, 1], [1, Math.E]],
    ['log', [1, Math.E], [0, 1]],
    ['sqrt', [4, 0], [2, 0]],
    ['sin', [0, Math.PI / 2], [0, 1]],
    ['cos', [0, Math.PI], [1, -1]],
    ['tanh', [0, Math.log(3) / 2], [0, 0.5]],
    ['sigmoid', [0, Math.log(3)], [0.5, 0.75]],
    ['softplus', [-1e4, 0, Math.log(3), 1e4], [0, Math.log(2), Math.log(4), 1e4]],
    ['relu', [-2, 2], [0, 2]],
    ['floor', [-0.5, 1.5], [-1, 1]],
  ])('%s', (op, x, y) => {
    const { data } = result(op, [f32([2], x)], {} as never);
    data.forEach((value, i) => {
      expect(value).toBeCloseTo(y[i]!, 12);
    });
  });
  test('not', () => expect(result('not', [bool([2], [0, 1])], {}).data).toEqual([1, 0]));
  test.each<[OpName, number[]]>([
    ['mod', [1, 2, 0, 1, 2]],
    ['floordiv', [-2, -1, 0, 1, 1]],
  ])('%s is Euclidean', (op, expected) => {
    expect(result(op, [i32([5], [-5, -1, 0, 4, 5]), i32([], [3])], {} as never).data).toEqual(expected);
  });
  test('i32 products wrap as int32 does', () => {
    expect(result('mul', [i32([1], [0x7fffffff]), i32([1], [0x7fffffff])], {}).data).toEqual([1]);
    expect(result('add', [i32([1], [0x7fffffff]), i32([1], [1])], {}).data).toEqual([-(2 ** 31)]);
  });
  test('binary operators broadcast by trailing alignment', () => {
    expect(result('sub', [f32([2, 1], [10, 20]), f32([3], [1, 2, 3])], {})).toEqual({
      dtype: 'f32',
      shape: [2, 3],
      data: [9, 8, 7, 19, 18, 17],
    });
    expect(result('lt', [f32([], [1]), f32([1, 1], [2])], {})).toEqual({ dtype: 'bool', shape: [1, 1], data: [1] });
  });
  test('eq compares bools too', () => {
    expect(result('eq', [bool([2], [0, 1]), bool([], [1])], {}).data).toEqual([0, 1]);
  });
  test('le, and, or, min, max, div, pow', () => {
    expect(result('le', [i32([3], [1, 2, 3]), i32([], [2])], {}).data).toEqual([1, 1, 0]);
    expect(result('and', [bool([2], [0, 1]), bool([], [1])], {}).data).toEqual([0, 1]);
    expect(result('or', [bool([2], [0, 1]), bool([], [0])], {}).data).toEqual([0, 1]);
    expect(result('min', [f32([2], [-1, 5]), f32([], [2])], {}).data).toEqual([-1, 2]);
    expect(result('max', [f32([2], [-1, 5]), f32([], [2])], {}).data).toEqual([2, 5]);
    expect(result('div', [f32([2], [-1, 5]), f32([], [2])], {}).data).toEqual([-0.5, 2.5]);
    expect(result('pow', [f32([2], [-2, 5]), f32([], [2])], {}).data).toEqual([4, 25]);
  });
});

describe('reductions', () => {
  test('sum and reduce_max over inner and outer axes', () => {
    expect(result('sum', [counting(2, 3)], { axes: [0], keep: false })).toEqual({
      dtype: 'f32',
      shape: [3],
      data: [3, 5, 7],
    });
    expect(result('sum', [counting(2, 3)], { axes: [0, 1], keep: true })).toEqual({
      dtype: 'f32',
      shape: [1, 1],
      data: [15],
    });
    expect(result('reduce_max', [i32([2, 2], [-5, -7, -3, -9])], { axes: [1], keep: false }).data).toEqual([-5, -3]);
    expect(result('mean', [counting(2, 2)], { axes: [0, 1], keep: false })).toEqual({
      dtype: 'f32',
      shape: [],
      data: [1.5],
    });
  });
  test('topk: descending, ties to the lower index', () => {
    const [values, index] = run('topk', [f32([2, 4], [1, 3, 3, 2, 0, 0, 0, 5])], { k: 3 });
    expect([...values!.data]).toEqual([3, 3, 2, 5, 0, 0]);
    expect([...index!.data]).toEqual([1, 2, 3, 3, 0, 1]);
    expect(index!.dtype).toBe('i32');
    expect(values!.shape).toEqual([2, 3]);
  });
});

describe('contractions', () => {
  test('matmul with a broadcast batch', () => {
    expect(result('matmul', [counting(2, 1, 2), f32([2, 2], [1, 2, 3, 4])], {})).toEqual({
      dtype: 'f32',
      shape: [2, 1, 2],
      data: [3, 4, 11, 16],
    });
  });
  const plain = { stride: [1, 1], pad: [0, 0, 0, 0], dilation: [1, 1], groups: 1 } as const;
  test('conv2d is cross-correlation', () => {
    expect(result('conv2d', [counting(1, 1, 3, 3), f32([1, 1, 2, 2], [1, 0, 0, -1])], plain)).toEqual({
      dtype: 'f32',
      shape: [1, 1, 2, 2],
      data: [-4, -4, -4, -4],
    });
  });
  test('conv2d: uneven padding, stride, dilation and groups', () => {
    // Row 0 of the padded input is [0 | 0 1 2], and the taps stand two apart.
    const x = f32([1, 2, 1, 3], [0, 1, 2, 10, 20, 30]);
    const w = f32([2, 1, 1, 2], [1, 1, 1, -1]);
    const attributes = { stride: [1, 1], pad: [0, 1, 0, 0], dilation: [1, 2], groups: 2 } as const;
    expect(result('conv2d', [x, w], attributes)).toEqual({ dtype: 'f32', shape: [1, 2, 1, 2], data: [1, 2, -20, -20] });
    expect(result('conv2d', [x, w], { ...attributes, stride: [1, 2] }).data).toEqual([1, -20]);
  });
  test('the gradients of conv2d', () => {
    const dy = f32([1, 1, 2, 2], [1, 2, 3, 4]);
    const w = f32([1, 1, 2, 2], [1, 10, 100, 1000]);
    expect(result('conv2d_dx', [dy, w], { ...plain, shape: dims(1, 1, 3, 3) }).data).toEqual([
      1, 12, 20, 103, 1234, 2040, 300, 3400, 4000,
    ]);
    expect(result('conv2d_dw', [counting(1, 1, 3, 3), dy], { ...plain, kernel: [2, 2] }).data).toEqual([
      27, 37, 57, 67,
    ]);
  });
});

describe('composites', () => {
  test('softmax and log_softmax do not overflow', () => {
    const x = f32([2, 2], [1000, 1000, 0, Math.log(3)]);
    const { data } = result('softmax', [x], { axis: 1 });
    [0.5, 0.5, 0.25, 0.75].forEach((value, i) => {
      expect(data[i]).toBeCloseTo(value, 12);
    });
    const logs = result('log_softmax', [x], { axis: 1 }).data;
    [0.5, 0.5, 0.25, 0.75].forEach((value, i) => {
      expect(logs[i]).toBeCloseTo(Math.log(value), 12);
    });
  });
  test('layer_norm: variance is biased', () => {
    const { data } = result('layer_norm', [f32([1, 2], [1, 3]), f32([2], [2, 3]), f32([2], [10, 20])], { eps: 0 });
    expect(data).toEqual([8, 23]);
  });
  test('gelu, exact and by tanh', () => {
    // x · Φ(x) at 1: Φ(1) = 0.8413447461 (tables); by tanh: 0.5 (1 + tanh(0.8411919906)) = 0.8411919906
    expect(result('gelu', [f32([1], [1])], { approximate: false }).data[0]).toBeCloseTo(0.8413447461, 9);
    expect(result('gelu', [f32([1], [1])], { approximate: true }).data[0]).toBeCloseTo(0.8411919906, 9);
  });
  test('max_pool2d: padding never wins', () => {
    const x = f32([1, 1, 2, 3], [-1, -2, -3, -4, -5, -6]);
    expect(result('max_pool2d', [x], { kernel: [2, 2], stride: [2, 2], pad: [1, 1, 0, 0] })).toEqual({
      dtype: 'f32',
      shape: [1, 1, 1, 2],
      data: [-1, -2],
    });
  });
  test('grid_sample: bilinear, x first, zeros outside', () => {
    const at = f32([1, 4, 2], [1, 0, 0.5, 0.5, -0.5, 0, 9, 9]);
    expect(result('grid_sample', [f32([1, 1, 2, 2], [1, 2, 3, 4]), at], {})).toEqual({
      dtype: 'f32',
      shape: [1, 1, 4],
      data: [2, 2.5, 0.5, 0],
    });
  });
});
