import type { OpAttributes } from '../../ir/names.ts';
import type { TensorData } from '../../ir/types.ts';
import { windows } from './contract.ts';
import { eachLine } from './reduce.ts';
import { allocate, count } from './tensor.ts';

/** e^(x - max) divided by its sum along an axis. */
export function softmax(x: TensorData, axis: number): TensorData {
  const out = allocate(x.dtype, x.data.length);
  eachLine(x, axis, (line) => {
    const { largest, sum } = exponentials(x, line);
    for (const at of line) out[at] = Math.exp(x.data[at]! - largest) / sum;
  });
  return { ...x, data: out };
}

export function logSoftmax(x: TensorData, axis: number): TensorData {
  const out = allocate(x.dtype, x.data.length);
  eachLine(x, axis, (line) => {
    const { largest, sum } = exponentials(x, line);
    for (const at of line) out[at] = x.data[at]! - largest - Math.log(sum);
  });
  return { ...x, data: out };
}

function exponentials(x: TensorData, line: Int32Array): { largest: number; sum: number } {
  let largest = Number.NEGATIVE_INFINITY;
  for (const at of line) largest = Math.max(largest, x.data[at]!);
  let sum = 0;
  for (const at of line) sum += Math.exp(x.data[at]! - largest);
  return { largest, sum };
}

/** (x - mean) / sqrt(variance + eps) · scale + bias over the last axis, with the biased variance. */
export function layerNorm(x: TensorData, scale: TensorData, bias: TensorData, eps: number): TensorData {
  const out = allocate(x.dtype, x.data.length);
  eachLine(x, x.shape.length - 1, (line) => {
    let mean = 0;
    for (const at of line) mean += x.data[at]! / line.length;
    let variance = 0;
    for (const at of line) variance += (x.data[at]! - mean) ** 2 / line.length;
    const deviation = Math.sqrt(variance + eps);
    for (const [i, at] of line.entries()) out[at] = ((x.data[at]! - mean) / deviation) * scale.data[i]! + bias.data[i]!;
  });
  return { ...x, data: out };
}

/** The largest element in each window of x[B, C, H, W]; the padding is -inf. */
export function maxPool2d(x: TensorData, { kernel, stride, pad }: OpAttributes['max_pool2d']): TensorData {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const rows = windows(height, kernel[0], stride[0], 1, pad[0] + pad[2]);
  const columns = windows(width, kernel[1], stride[1], 1, pad[1] + pad[3]);
  const shape = [batch, channels, rows, columns];
  const out = allocate(x.dtype, count(shape)).fill(Number.NEGATIVE_INFINITY);
  for (let plane = 0; plane < batch * channels; plane++)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const to = (plane * rows + row) * columns + column;
        for (let i = 0; i < kernel[0]; i++)
          for (let j = 0; j < kernel[1]; j++) {
            const h = row * stride[0] - pad[0] + i;
            const v = column * stride[1] - pad[1] + j;
            if (h < 0 || h >= height || v < 0 || v >= width) continue;
            out[to] = Math.max(out[to]!, x.data[(plane * height + h) * width + v]!);
          }
      }
  return { dtype: x.dtype, shape, data: out };
}

/** Samples x[B, C, H, W] bilinearly at the pixel positions at[B, P, 2], x first; zeros outside. -> [B, C, P]. */
export function gridSample(x: TensorData, at: TensorData): TensorData {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const points = at.shape[1]!;
  const out = allocate(x.dtype, batch * channels * points);
  const pixel = (plane: number, row: number, column: number): number =>
    row < 0 || row >= height || column < 0 || column >= width ? 0 : x.data[(plane * height + row) * width + column]!;
  for (let b = 0; b < batch; b++)
    for (let p = 0; p < points; p++) {
      const [px, py] = [at.data[(b * points + p) * 2]!, at.data[(b * points + p) * 2 + 1]!];
      const [left, top] = [Math.floor(px), Math.floor(py)];
      const [right, down] = [px - left, py - top];
      for (let c = 0; c < channels; c++) {
        const plane = b * channels + c;
        out[plane * points + p] =
          (1 - down) * (1 - right) * pixel(plane, top, left) +
          (1 - down) * right * pixel(plane, top, left + 1) +
          down * (1 - right) * pixel(plane, top + 1, left) +
          down * right * pixel(plane, top + 1, left + 1);
      }
    }
  return { dtype: x.dtype, shape: [batch, channels, points], data: out };
}
