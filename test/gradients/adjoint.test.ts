import { expect, test } from 'vitest';
import { asConstant, constant } from '../../compiler/dims/dim.ts';
import type { ConvAttributes } from '../../compiler/ir/names.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { seededRandom } from '../../compiler/ops/random.ts';
import { floats } from '../../compiler/ops/sampling.ts';
import { ops } from '../../compiler/ops/table.ts';
import { samples } from '../ops/samples.ts';

/** The inner product of two tensors of one shape. */
function dot(a: TensorData, b: TensorData): number {
  expect(a.shape).toEqual(b.shape);
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += a.data[i]! * b.data[i]!;
  return sum;
}

test('the gradients of a convolution are its adjoints: <conv(x, w), dy> = <x, dx> = <w, dw>', () => {
  const random = seededRandom(1);
  for (const { inputs, attributes } of samples('conv2d', 60)) {
    const [x, w] = inputs as [TensorData, TensorData];
    const conv = attributes as ConvAttributes;
    const [y] = ops.conv2d.reference([x, w], conv) as [TensorData];
    const dy = floats(random, y.shape);
    const [dx] = ops.conv2d_dx.reference([dy, w], { ...conv, shape: x.shape.map(constant) }) as [TensorData];
    const kernel = [w.shape[2]!, w.shape[3]!] as const;
    const [dw] = ops.conv2d_dw.reference([x, dy], { ...conv, kernel }) as [TensorData];
    expect(dot(x, dx)).toBeCloseTo(dot(y, dy), 8);
    expect(dot(w, dw)).toBeCloseTo(dot(y, dy), 8);
  }
});

test('scatter_add is the adjoint of gather', () => {
  const random = seededRandom(2);
  for (const { inputs } of samples('gather', 60)) {
    const [drawn, index] = inputs as [TensorData, TensorData];
    const x = floats(random, drawn.shape);
    const [y] = ops.gather.reference([x, index], {}) as [TensorData];
    const dy = floats(random, y.shape);
    const [dx] = ops.scatter_add.reference([index, dy], { rows: constant(x.shape[0]!), apart: false }) as [TensorData];
    expect(dot(x, dx)).toBeCloseTo(dot(y, dy), 8);
  }
});

test('a transpose by the inverse permutation gives the input back', () => {
  for (const { inputs, attributes } of samples('transpose', 60)) {
    const { perm } = attributes as { perm: readonly number[] };
    const inverse = perm.map((_, axis) => perm.indexOf(axis));
    const [there] = ops.transpose.reference(inputs, { perm }) as [TensorData];
    const [back] = ops.transpose.reference([there], { perm: inverse });
    expect(back).toEqual(inputs[0]);
  }
});

test('a pad is undone by the slice inside it', () => {
  for (const { inputs, attributes } of samples('pad', 60)) {
    const { low, high, value } = attributes as Parameters<typeof ops.pad.reference>[1];
    const [x] = inputs as [TensorData];
    const [padded] = ops.pad.reference([x], { low, high, value }) as [TensorData];
    const start = low;
    const stop = x.shape.map((size, axis) => constant(size + asConstant(low[axis]!)!));
    const [back] = ops.slice.reference([padded], { start, stop, step: x.shape.map(() => 1) });
    expect(back).toEqual(x);
  }
});
