import type { TensorData } from '../../ir/types.ts';
import { allocate, count, offsets, stridesOf } from './tensor.ts';

/** The shape of a reduction's result. */
export function reducedShape<T>(shape: readonly T[], axes: readonly number[], keep: boolean, one: T): T[] {
  return keep
    ? shape.map((size, axis) => (axes.includes(axis) ? one : size))
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** Folds the elements along `axes` with `f`, starting from `start`. */
export function reduce(
  x: TensorData,
  axes: readonly number[],
  keep: boolean,
  start: number,
  f: (accumulated: number, x: number) => number,
): TensorData {
  const kept = reducedShape(x.shape, axes, true, 1);
  const strides = stridesOf(kept).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
  const to = offsets(x.shape, strides);
  const out = allocate(x.dtype, count(kept)).fill(start);
  for (let i = 0; i < to.length; i++) out[to[i]!] = f(out[to[i]!]!, x.data[i]!);
  return { dtype: x.dtype, shape: reducedShape(x.shape, axes, keep, 1), data: out };
}

/**
 * Returns the k largest elements of each row of the last axis, descending, ties to the lower index, and their indices.
 */
export function largest(x: TensorData, k: number): [values: TensorData, index: TensorData] {
  const width = x.shape.at(-1) ?? 1;
  const rows = x.data.length / width;
  const shape = [...x.shape.slice(0, -1), k];
  const values = allocate(x.dtype, rows * k);
  const index = new Int32Array(rows * k);
  for (let row = 0; row < rows; row++) {
    const line = x.data.subarray(row * width, (row + 1) * width);
    const order = Int32Array.from(line, (_, i) => i).sort((i, j) => line[j]! - line[i]! || i - j);
    for (let place = 0; place < k; place++) {
      values[row * k + place] = line[order[place]!]!;
      index[row * k + place] = order[place]!;
    }
  }
  return [
    { dtype: x.dtype, shape, data: values },
    { dtype: 'i32', shape, data: index },
  ];
}

/** Calls `visit` with the offsets of each line of `x` along `axis`, in a buffer that is reused. */
export function eachLine(x: TensorData, axis: number, visit: (line: Int32Array) => void): void {
  const strides = stridesOf(x.shape);
  const starts = offsets(
    x.shape.filter((_, other) => other !== axis),
    strides.filter((_, other) => other !== axis),
  );
  const along = offsets([x.shape[axis]!], [strides[axis]!]);
  const line = new Int32Array(along.length);
  for (const start of starts) {
    for (let i = 0; i < line.length; i++) line[i] = start + along[i]!;
    visit(line);
  }
}
