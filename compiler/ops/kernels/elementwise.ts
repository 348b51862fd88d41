import type { DType, TensorData } from '../../ir/graph.ts';
import { allocate, broadcastSizes, broadcastStrides, type Elements, offsets, sameShape, take } from './tensor.ts';

/** f at every element. */
export function map(dtype: DType, x: TensorData, f: (x: number) => number): TensorData {
  const { data } = x;
  const out = allocate(dtype, data.length);
  for (let i = 0; i < data.length; i++) out[i] = f(data[i]!);
  return { dtype, shape: x.shape, data: out };
}

/** f at every pair of elements, broadcasting. */
export function zip(dtype: DType, a: TensorData, b: TensorData, f: (a: number, b: number) => number): TensorData {
  const shape = broadcastSizes([a.shape, b.shape]);
  const left = operand(a, shape);
  const right = operand(b, shape);
  const out = allocate(dtype, left.length);
  for (let i = 0; i < out.length; i++) out[i] = f(left.data[i * left.step]!, right.data[i * right.step]!);
  return { dtype, shape, data: out };
}

/** condition ? a : b at every element, broadcasting. */
export function choose(condition: TensorData, a: TensorData, b: TensorData): TensorData {
  const shape = broadcastSizes([condition.shape, a.shape, b.shape]);
  const test = operand(condition, shape);
  const yes = operand(a, shape);
  const no = operand(b, shape);
  const out = allocate(a.dtype, test.length);
  for (let i = 0; i < out.length; i++)
    out[i] = test.data[i * test.step] !== 0 ? yes.data[i * yes.step]! : no.data[i * no.step]!;
  return { dtype: a.dtype, shape, data: out };
}

/** A tensor read as `shape`: as it is, as one repeated element (step 0), or copied out. `length` is shape's. */
function operand(x: TensorData, shape: readonly number[]): { data: Elements; step: number; length: number } {
  const length = shape.reduce((product, size) => product * size, 1);
  if (x.data.length === 1) return { data: x.data, step: 0, length };
  if (x.data.length === length || sameShape(x.shape, shape)) return { data: x.data, step: 1, length };
  return { data: take(x.dtype, x.data, offsets(shape, broadcastStrides(x.shape, shape))), step: 1, length };
}
