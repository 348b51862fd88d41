import type { DType, TensorData } from '../../ir/types.ts';
import { allocate, broadcastSizes, broadcastStrides, offsets } from './tensor.ts';

/** Applies f to every element. */
export function map(dtype: DType, x: TensorData, f: (x: number) => number): TensorData {
  const { data } = x;
  const out = allocate(dtype, data.length);
  for (let i = 0; i < data.length; i++) out[i] = f(data[i]!);
  return { dtype, shape: x.shape, data: out };
}

/** Applies f to every pair of elements, with broadcasting. */
export function zip(dtype: DType, a: TensorData, b: TensorData, f: (a: number, b: number) => number): TensorData {
  const shape = broadcastSizes([a.shape, b.shape]);
  const left = rowsOf(a, shape);
  const right = rowsOf(b, shape);
  const [x, y] = [a.data, b.data];
  const width = shape.at(-1) ?? 1;
  const out = allocate(dtype, left.starts.length * width);
  let at = 0;
  for (let row = 0; row < left.starts.length; row++) {
    let i = left.starts[row]!;
    let j = right.starts[row]!;
    for (const end = at + width; at < end; at++) {
      out[at] = f(x[i]!, y[j]!);
      i += left.step;
      j += right.step;
    }
  }
  return { dtype, shape, data: out };
}

/** condition ? a : b for every element, with broadcasting. */
export function choose(condition: TensorData, a: TensorData, b: TensorData): TensorData {
  const shape = broadcastSizes([condition.shape, a.shape, b.shape]);
  const test = rowsOf(condition, shape);
  const yes = rowsOf(a, shape);
  const no = rowsOf(b, shape);
  const width = shape.at(-1) ?? 1;
  const out = allocate(a.dtype, test.starts.length * width);
  let at = 0;
  for (let row = 0; row < test.starts.length; row++)
    for (let column = 0; column < width; column++) {
      const holds = condition.data[test.starts[row]! + column * test.step] !== 0;
      out[at++] = holds ? a.data[yes.starts[row]! + column * yes.step]! : b.data[no.starts[row]! + column * no.step]!;
    }
  return { dtype: a.dtype, shape, data: out };
}

/** A tensor broadcast to `shape`, row by row: the offset of each row, and the step between its elements. */
function rowsOf(x: TensorData, shape: readonly number[]): { starts: Int32Array; step: number } {
  const strides = broadcastStrides(x.shape, shape);
  return { starts: offsets(shape.slice(0, -1), strides.slice(0, -1)), step: strides.at(-1) ?? 0 };
}
