/** Side of a tile: 32 by 32 floats fit into the L1 cache while rows are read and columns are written. */
const tile = 32;

/**
 * Permutes the axes of a row-major tensor: axis `i` of the result is axis `perm[i]` of `data`.
 * Axes that remain adjacent are moved as one.
 */
export function permuteAxes<T extends Float32Array | Float64Array | Int32Array | Uint8Array>(
  data: T,
  shape: readonly number[],
  perm: readonly number[],
): T {
  const merged = mergeNeighbours(shape, perm);
  const out = new (data.constructor as new (length: number) => T)(data.length);
  const rank = merged.shape.length;
  if (rank <= 1) {
    out.set(data);
    return out;
  }
  const strides = new Array<number>(rank).fill(1);
  for (let i = rank - 2; i >= 0; i--) strides[i] = strides[i + 1]! * merged.shape[i + 1]!;
  const sizes = merged.perm.map((axis) => merged.shape[axis]!);
  const steps = merged.perm.map((axis) => strides[axis]!);
  // Iterates over the outer axes, and copies the two innermost axes of the result as a matrix.
  const [rows, columns] = [sizes[rank - 2]!, sizes[rank - 1]!];
  const [down, across] = [steps[rank - 2]!, steps[rank - 1]!];
  const outer = sizes.slice(0, -2).reduce((a, b) => a * b, 1);
  const index = new Array<number>(rank - 2).fill(0);
  for (let block = 0, from = 0; block < outer; block++) {
    copyMatrix(data, from, down, across, out, block * rows * columns, rows, columns);
    for (let axis = rank - 3; axis >= 0; axis--) {
      index[axis]!++;
      from += steps[axis]!;
      if (index[axis]! < sizes[axis]!) break;
      from -= steps[axis]! * sizes[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array;

function copyMatrix(
  from: Numbers,
  at: number,
  down: number,
  across: number,
  to: Numbers,
  start: number,
  rows: number,
  columns: number,
): void {
  for (let r0 = 0; r0 < rows; r0 += tile) {
    const r1 = Math.min(r0 + tile, rows);
    for (let c0 = 0; c0 < columns; c0 += tile) {
      const c1 = Math.min(c0 + tile, columns);
      for (let r = r0; r < r1; r++)
        for (let c = c0; c < c1; c++) to[start + r * columns + c] = from[at + r * down + c * across]!;
    }
  }
}

/** Removes axes of size 1, and merges axes that are adjacent before and after the permutation. */
function mergeNeighbours(shape: readonly number[], perm: readonly number[]): { shape: number[]; perm: number[] } {
  const runs: number[][] = [];
  for (const axis of perm.filter((axis) => shape[axis] !== 1)) {
    const last = runs.at(-1);
    const between = last === undefined ? [] : shape.slice(last.at(-1)! + 1, axis);
    if (last !== undefined && axis > last.at(-1)! && between.every((size) => size === 1)) last.push(axis);
    else runs.push([axis]);
  }
  const ordered = [...runs].sort((a, b) => a[0]! - b[0]!);
  return {
    shape: ordered.map((run) => run.reduce((size, axis) => size * shape[axis]!, 1)),
    perm: runs.map((run) => ordered.indexOf(run)),
  };
}
