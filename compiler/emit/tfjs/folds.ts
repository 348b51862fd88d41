import { elementCount } from '../../ir/tensor-data.ts';
import { aligned, broadcastSizes, runsOf } from './axes.ts';
import type { Emission } from './emission.ts';
import type { Temp } from './program.ts';

/**
 * a[...A, M, K] · b[...B, K, N], its leading axes joined. One matrix on either side makes it one product
 * of two matrices: wasm is twenty times as fast at that as at a batch.
 */
export function product(emission: Emission, a: Temp, b: Temp): Temp {
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(-1)!;
  const batch = broadcastSizes([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  const many = [a, b].map((x) => elementCount(x.shape.slice(0, -2))) as [number, number];
  if (many[1] === 1) {
    const rows = emission.reshape(a, [many[0] * m, k]);
    return emission.call('matMul', [rows, emission.reshape(b, [k, n])], [many[0] * m, n], 'float32');
  }
  if (many[0] === 1) {
    // (bᵀ aᵀ)ᵀ, with the rows of every bᵀ under each other.
    const columns = emission.transpose(emission.reshape(b, [many[1], k, n]), [0, 2, 1]);
    const left = emission.reshape(columns, [many[1] * n, k]);
    const right = emission.transpose(emission.reshape(a, [m, k]), [1, 0]);
    const turned = emission.call('matMul', [left, right], [many[1] * n, m], 'float32');
    return emission.transpose(emission.reshape(turned, [many[1], n, m]), [0, 2, 1]);
  }
  const [left, right] = [a, b].map((x) => aligned(x.shape.slice(0, -2), batch.length)) as [number[], number[]];
  const runs = runsOf(batch, (axis) => `${left[axis] === 1} ${right[axis] === 1}`);
  const last = runs.at(-1)!.axes[0]!;
  if (runs.length === 2 && right[last] === 1) {
    // The last leading axes are a's alone: they are more rows of it.
    const [outer, inner] = runs.map((run) => run.size) as [number, number];
    if (left[runs[0]!.axes[0]!] !== 1) {
      const rows = emission.reshape(a, [outer, inner * m, k]);
      return emission.call('matMul', [rows, emission.reshape(b, [outer, k, n])], [outer, inner * m, n], 'float32');
    }
  }
  const whole = (x: Temp, own: readonly number[], matrix: readonly number[]) =>
    emission.reshape(emission.expand(emission.reshape(x, [...own, ...matrix]), [...batch, ...matrix]), [
      elementCount(batch),
      ...matrix,
    ]);
  const operands = [whole(a, left, [m, k]), whole(b, right, [k, n])];
  return emission.call('matMul', operands, [elementCount(batch), m, n], 'float32');
}

/** Folds `axes`, which vanish. The shape is put into its simplest form first: see `runsOf`. */
export function reduce(emission: Emission, fn: 'sum' | 'max' | 'mean', x: Temp, axes: readonly number[]): Temp {
  const kept = x.shape.filter((_, axis) => !axes.includes(axis));
  const runs = runsOf(x.shape, (axis) => axes.includes(axis));
  const folded = [...runs.keys()].filter((run) => axes.includes(runs[run]!.axes[0]!));
  const flat = emission.reshape(x, folded.length === 0 ? kept : runs.map((run) => run.size));
  if (folded.length === 0) return flat;
  const rest = runs.flatMap((run, i) => (folded.includes(i) ? [] : [run.size]));
  return emission.reshape(emission.call(fn, [flat, folded], rest, x.dtype), kept);
}
