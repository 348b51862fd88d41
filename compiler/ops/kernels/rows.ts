import type { TensorData } from '../../ir/types.ts';
import { allocate, count } from './tensor.ts';

/** (x[N, ...R], index[...I]) -> [...I, ...R]. Throws for an index outside 0..N-1. */
export function gatherRows(x: TensorData, index: TensorData): TensorData {
  const [rows = 1, ...rest] = x.shape;
  const width = count(rest);
  const out = allocate(x.dtype, index.data.length * width);
  for (let i = 0; i < index.data.length; i++) {
    const row = checked(index.data[i]!, rows);
    // For a narrow row, creating a view costs more than copying.
    if (width < 64) for (let j = 0; j < width; j++) out[i * width + j] = x.data[row * width + j]!;
    else out.set(x.data.subarray(row * width, (row + 1) * width), i * width);
  }
  return { dtype: x.dtype, shape: [...index.shape, ...rest], data: out };
}

/**
 * (index[...I], updates[...I, ...R]) -> [rows, ...R]. Throws for an index outside 0..rows-1 or, with `apart`, outside
 * its part.
 */
export function scatterAddRows(index: TensorData, updates: TensorData, rows: number, apart: boolean): TensorData {
  const rest = updates.shape.slice(index.shape.length);
  const width = count(rest);
  const out = allocate(updates.dtype, rows * width);
  const parts = apart ? index.shape[0]! : 1;
  for (let i = 0; i < index.data.length; i++) {
    const row = checked(index.data[i]!, rows);
    const part = Math.floor((i * parts) / index.data.length);
    if (Math.floor((row * parts) / rows) !== part) throw new RangeError(`index ${row} is outside of part ${part}`);
    for (let j = 0; j < width; j++) out[row * width + j]! += updates.data[i * width + j]!;
  }
  return { dtype: updates.dtype, shape: [rows, ...rest], data: out };
}

function checked(row: number, rows: number): number {
  if (row < 0 || row >= rows) throw new RangeError(`index ${row} is outside 0..${rows - 1}`);
  return row;
}
