import { elementCount } from '../../ir/tensor-data.ts';
import { type AxisRun, aligned, broadcastSizes, runsOf } from './axes.ts';
import type { Emission } from './emission.ts';
import type { Temp } from './program.ts';

/**
 * Computes a[...A, M, K] · b[...B, K, N] with merged leading axes. If either side is a single matrix, it becomes one
 * product of two matrices, which is twenty times as fast on wasm as a batch.
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
    // (bᵀ aᵀ)ᵀ, with the rows of all bᵀ in one matrix.
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
    // The last leading axes belong to a alone, so they become more rows of it.
    const [outer, inner] = runs.map((run) => run.size) as [number, number];
    if (left[runs[0]!.axes[0]!] !== 1) {
      const rows = emission.reshape(a, [outer, inner * m, k]);
      return batch3(emission, rows, emission.reshape(b, [outer, k, n]));
    }
  }
  const whole = (x: Temp, own: readonly number[], matrix: readonly number[]) =>
    emission.reshape(emission.expand(emission.reshape(x, [...own, ...matrix]), [...batch, ...matrix]), [
      elementCount(batch),
      ...matrix,
    ]);
  return batch3(emission, whole(a, left, [m, k]), whole(b, right, [k, n]));
}

/**
 * The number of operations that wasm performs in the time that it takes to cut out, multiply and put back one matrix.
 */
const worthwhile = 2e5;

/** On wasm, products of large matrices are computed one by one, by the program's own function `products`. */
function batch3(emission: Emission, a: Temp, b: Temp): Temp {
  const [many, m, k] = a.shape as [number, number, number];
  const n = b.shape[2]!;
  const fn = 2 * m * k * n >= worthwhile ? 'products' : 'matMul';
  return emission.call(fn, [a, b], [many, m, n], 'float32');
}

/**
 * Reduces `axes`, which are removed. The shape is first simplified by `runsOf`. A sum over leading axes becomes a
 * product of a row of ones with the rest, because wasm would transpose first (20 times as slow).
 */
export function reduce(emission: Emission, fn: 'sum' | 'max' | 'mean', x: Temp, axes: readonly number[]): Temp {
  const kept = x.shape.filter((_, axis) => !axes.includes(axis));
  if (fn === 'mean') {
    const n = elementCount(axes.map((axis) => x.shape[axis]!));
    return emission.call('mul', [reduce(emission, 'sum', x, axes), 1 / n], kept, x.dtype);
  }
  const runs = runsOf(x.shape, (axis) => axes.includes(axis));
  const isFolded = (run: AxisRun | undefined) => run !== undefined && axes.includes(run.axes[0]!);
  let folded = x;
  const last = runs.at(-1);
  if (last !== undefined && isFolded(last)) {
    runs.pop();
    const rest = sizesOf(runs);
    const rows = emission.reshape(folded, [elementCount(rest), last.size]);
    folded = emission.reshape(emission.call(fn, [rows, 1], [elementCount(rest)], x.dtype), rest);
  }
  const first = runs[0];
  if (first !== undefined && isFolded(first) && fn === 'sum' && x.dtype === 'float32') {
    runs.shift();
    const n = elementCount(sizesOf(runs));
    const rows = emission.reshape(folded, [first.size, n]);
    folded = emission.call('matMul', [emission.fill([1, first.size], 1, 'f32'), rows], [1, n], 'float32');
  }
  const inner = [...runs.keys()].filter((run) => isFolded(runs[run]));
  if (inner.length > 0) {
    const rest = sizesOf(runs.filter((run) => !isFolded(run)));
    folded = emission.call(fn, [emission.reshape(folded, sizesOf(runs)), inner], rest, x.dtype);
  }
  return emission.reshape(folded, kept);
}

function sizesOf(runs: readonly AxisRun[]): number[] {
  return runs.map((run) => run.size);
}
