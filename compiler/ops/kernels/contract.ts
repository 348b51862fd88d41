import type { ConvAttributes } from '../../ir/names.ts';
import type { TensorData } from '../../ir/types.ts';
import { allocate, broadcastSizes, broadcastStrides, count, offsets } from './tensor.ts';

/** (a[...A, M, K], b[...B, K, N]) -> [...(A broadcast B), M, N]. */
export function matmul(a: TensorData, b: TensorData): TensorData {
  const [m, k, n] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!];
  const [left, right] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const batch = broadcastSizes([left, right]);
  const startsA = offsets(batch, broadcastStrides(left, batch));
  const startsB = offsets(batch, broadcastStrides(right, batch));
  const out = new Float64Array(count(batch) * m * n);
  for (let i = 0; i < startsA.length; i++) {
    const [fromA, fromB] = [startsA[i]! * m * k, startsB[i]! * k * n];
    for (let row = 0; row < m; row++)
      for (let inner = 0; inner < k; inner++) {
        const factor = a.data[fromA + row * k + inner]!;
        const to = (i * m + row) * n;
        const from = fromB + inner * n;
        for (let column = 0; column < n; column++) out[to + column]! += factor * b.data[from + column]!;
      }
  }
  return { dtype: a.dtype, shape: [...batch, m, n], data: out };
}

/** The output size of a convolution or pooling along one axis. */
export function windows(size: number, kernel: number, stride: number, dilation: number, padding: number): number {
  return Math.floor((size + padding - dilation * (kernel - 1) - 1) / stride) + 1;
}

interface Convolution {
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly y: readonly number[];
}

/**
 * Calls `visit` for every product of a convolution with its offsets into x[B, C, H, W], w[O, C/groups, h, w] and y[B,
 * O, H', W']. The forward sum and both gradients use this loop nest with the roles of the three exchanged.
 */
function eachProduct(
  { x, w, y }: Convolution,
  { stride, pad, dilation, groups }: ConvAttributes,
  visit: (x: number, w: number, y: number) => void,
): void {
  const [batch, channels, height, width] = x as [number, number, number, number];
  const [outputs, perGroup, kernelHeight, kernelWidth] = w as [number, number, number, number];
  const [rows, columns] = [y[2]!, y[3]!];
  for (let b = 0; b < batch; b++)
    for (let o = 0; o < outputs; o++) {
      const firstChannel = Math.floor(o / (outputs / groups)) * perGroup;
      for (let c = 0; c < perGroup; c++)
        for (let i = 0; i < kernelHeight; i++)
          for (let j = 0; j < kernelWidth; j++) {
            const tap = ((o * perGroup + c) * kernelHeight + i) * kernelWidth + j;
            for (let row = 0; row < rows; row++) {
              const h = row * stride[0] - pad[0] + i * dilation[0];
              if (h < 0 || h >= height) continue;
              for (let column = 0; column < columns; column++) {
                const v = column * stride[1] - pad[1] + j * dilation[1];
                if (v < 0 || v >= width) continue;
                const from = ((b * channels + firstChannel + c) * height + h) * width + v;
                visit(from, tap, ((b * outputs + o) * rows + row) * columns + column);
              }
            }
          }
    }
}

export function conv2d(x: TensorData, w: TensorData, attributes: ConvAttributes): TensorData {
  const { stride, pad, dilation } = attributes;
  const shape = [
    x.shape[0]!,
    w.shape[0]!,
    windows(x.shape[2]!, w.shape[2]!, stride[0], dilation[0], pad[0] + pad[2]),
    windows(x.shape[3]!, w.shape[3]!, stride[1], dilation[1], pad[1] + pad[3]),
  ];
  const out = allocate(x.dtype, count(shape));
  eachProduct({ x: x.shape, w: w.shape, y: shape }, attributes, (from, tap, to) => {
    out[to]! += x.data[from]! * w.data[tap]!;
  });
  return { dtype: x.dtype, shape, data: out };
}

export function conv2dInputGradient(
  dy: TensorData,
  w: TensorData,
  shape: readonly number[],
  attributes: ConvAttributes,
): TensorData {
  const out = allocate(dy.dtype, count(shape));
  eachProduct({ x: shape, w: w.shape, y: dy.shape }, attributes, (from, tap, to) => {
    out[from]! += dy.data[to]! * w.data[tap]!;
  });
  return { dtype: dy.dtype, shape, data: out };
}

export function conv2dWeightGradient(
  x: TensorData,
  dy: TensorData,
  kernel: readonly [number, number],
  attributes: ConvAttributes,
): TensorData {
  const shape = [dy.shape[1]!, x.shape[1]! / attributes.groups, ...kernel];
  const out = allocate(x.dtype, count(shape));
  eachProduct({ x: x.shape, w: shape, y: dy.shape }, attributes, (from, tap, to) => {
    out[tap]! += x.data[from]! * dy.data[to]!;
  });
  return { dtype: x.dtype, shape, data: out };
}
