import { constant, type Dim } from '../dims/dim.ts';
import type { TensorData } from '../ir/types.ts';
import { count } from './kernels/tensor.ts';
import type { Random } from './row.ts';

/**
 * Returns the sizes of a random shape. High ranks get small sizes, so that no sample has more than about a thousand
 * elements.
 */
export function sizes(random: Random, rank: number): number[] {
  const largest = rank <= 3 ? 5 : 3;
  return Array.from({ length: rank }, () => random.int(1, largest));
}

/** Returns a random shape of rank lo to 6. */
export function anyShape(random: Random, lo = 0): number[] {
  return sizes(random, random.int(lo, 6));
}

/** Returns n shapes that broadcast to one by trailing alignment: leading axes are dropped, other axes may be 1. */
export function alignedShapes(random: Random, n: number): number[][] {
  const shape = anyShape(random);
  return Array.from({ length: n }, () => {
    const style = random.int(0, 3);
    if (style <= 1) return [...shape];
    const kept = shape.slice(random.int(0, shape.length));
    return style === 2 ? kept : kept.map((size) => (random.int(0, 2) === 0 ? 1 : size));
  });
}

/** Returns random floats that float32 holds exactly, so that every target starts from the same numbers. */
export function floats(random: Random, shape: readonly number[], lo = -3, hi = 3): TensorData {
  const data = Float64Array.from({ length: count(shape) }, () => Math.fround(lo + (hi - lo) * random.real()));
  return { dtype: 'f32', shape, data };
}

/** Returns random multiples of 1/2 in -2..2, with many ties and exact zeros. */
export function halves(random: Random, shape: readonly number[]): TensorData {
  return { dtype: 'f32', shape, data: Float64Array.from({ length: count(shape) }, () => random.int(-4, 4) / 2) };
}

export function integers(random: Random, shape: readonly number[], lo = -9, hi = 9): TensorData {
  return { dtype: 'i32', shape, data: Int32Array.from({ length: count(shape) }, () => random.int(lo, hi)) };
}

export function bools(random: Random, shape: readonly number[]): TensorData {
  return { dtype: 'bool', shape, data: Uint8Array.from({ length: count(shape) }, () => random.int(0, 1)) };
}

export function numbers(random: Random, shape: readonly number[]): TensorData {
  return random.pick([floats, halves, integers])(random, shape);
}

/** Returns distinct floats in random order. */
export function distinctFloats(random: Random, shape: readonly number[]): TensorData {
  const data = Float64Array.from({ length: count(shape) }, (_, i) => (i - 7) / 4);
  for (let i = data.length - 1; i > 0; i--) {
    const j = random.int(0, i);
    [data[i], data[j]] = [data[j]!, data[i]!];
  }
  return { dtype: 'f32', shape, data };
}

export function shuffled(random: Random, n: number): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.int(0, i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Returns a random non-empty, ascending list of axes. */
export function someAxes(random: Random, rank: number): number[] {
  return shuffled(random, rank)
    .slice(0, random.int(1, rank))
    .sort((a, b) => a - b);
}

export function dims(shape: readonly number[]): Dim[] {
  return shape.map(constant);
}
