import type { NodeOf } from '../../ir/graph.ts';
import type { ConvAttributes } from '../../ir/names.ts';
import { stepped } from './data.ts';
import type { Emission } from './emission.ts';
import { product, reduce } from './folds.ts';
import type { Lowering } from './lowering.ts';
import type { Temp } from './program.ts';

const toRows = [0, 2, 3, 1];
const toPlanes = [0, 3, 1, 2];

type Pads = ConvAttributes['pad'];
interface Window {
  readonly stride: readonly [number, number];
  /** A negative number leaves rows out. */
  readonly pad: Pads;
  readonly dilation: readonly [number, number];
  readonly groups: number;
}

export const conv2d: Lowering<'conv2d'> = (node, emission) => {
  const [x, w] = [emission.use(node.inputs[0]), emission.use(node.inputs[1])];
  return [convolve(emission, x, w, node.attributes)];
};

/** Convolves x[B, C, H, W] with w[O, C/groups, h, w]; TensorFlow.js convolves [B, H, W, C] with [h, w, C, O]. */
function convolve(emission: Emission, x: Temp, w: Temp, { stride, pad, dilation, groups }: Window): Temp {
  const [batch, channels] = x.shape as [number, number];
  const [outputs, perGroup, height, width] = w.shape as [number, number, number, number];
  const dilated = dilation.some((by) => by !== 1);
  const strided = stride.some((by) => by !== 1);
  const depthwise = groups > 1 && perGroup === 1;
  // tfjs-node rejects a depthwise convolution with two different strides, and one with dilation.
  const native = depthwise ? stride[0] === stride[1] && !dilated : groups === 1 && !(dilated && strided);
  const extent = (i: 0 | 1) => x.shape[2 + i]! + pad[i] + pad[2 + i]!;
  const count = (i: 0 | 1) => Math.floor((extent(i) - dilation[i] * (w.shape[2 + i]! - 1) - 1) / stride[i]) + 1;
  const [rows, columns] = [count(0), count(1)];
  if (!native) return unfolded(emission, x, w, { stride, pad, dilation, groups }, [rows, columns]);
  const images = padded(emission, emission.transpose(x, toRows), pad, [1, 2]);
  const shape = [batch, rows, columns, outputs];
  if (depthwise) {
    // The outputs of a channel are consecutive: [C·m, 1, h, w] becomes [h, w, C, m].
    const each = emission.reshape(w, [channels, outputs / channels, height, width]);
    const kernel = emission.transpose(each, [2, 3, 0, 1]);
    const args = [images, kernel, stride, 'valid', 'NHWC', dilation];
    return emission.transpose(emission.call('depthwiseConv2d', args, shape, 'float32'), toPlanes);
  }
  const kernel = emission.transpose(w, [2, 3, 1, 0]);
  const args = [images, kernel, stride, 'valid', 'NHWC', dilation];
  return emission.transpose(emission.call('conv2d', args, shape, 'float32'), toPlanes);
}

/**
 * For groups, and for strides with dilation: concatenates every tap of every window and computes one product for each
 * group.
 */
function unfolded(
  emission: Emission,
  x: Temp,
  w: Temp,
  { stride, pad, dilation, groups }: Window,
  [rows, columns]: readonly [number, number],
): Temp {
  const batch = x.shape[0]!;
  const [outputs, perGroup, height, width] = w.shape as [number, number, number, number];
  const images = padded(emission, x, pad, [2, 3]);
  const taps = tapsOf([height, width]).map(([i, j]) => {
    const tap = tapped(emission, images, [2, 3], [i * dilation[0], j * dilation[1]], stride, [rows, columns]);
    return emission.reshape(tap, [batch * groups, perGroup, rows * columns]);
  });
  const n = taps.length;
  const all =
    n === 1 ? taps[0]! : emission.call('concat', [taps, 1], [batch * groups, n * perGroup, rows * columns], 'float32');
  // Taps before channels, as they are concatenated.
  const kernel = emission.transpose(emission.reshape(w, [outputs, perGroup, n]), [0, 2, 1]);
  const left = emission.reshape(kernel, [1, groups, outputs / groups, n * perGroup]);
  const right = emission.reshape(all, [batch, groups, n * perGroup, rows * columns]);
  return emission.reshape(product(emission, left, right), [batch, outputs, rows, columns]);
}

/**
 * The gradient in x is itself a convolution of dy, with its rows spread by the stride, with the reversed kernel. wasm's
 * own kernel for it is a plain loop.
 */
export const conv2dDx: Lowering<'conv2d_dx'> = (node, emission) => {
  const [dy, w] = [emission.use(node.inputs[0]), emission.use(node.inputs[1])];
  const { stride, pad, dilation, groups } = node.attributes;
  const shape = emission.sizes(node.attributes.shape);
  const [outputs, perGroup, height, width] = w.shape as [number, number, number, number];
  const around = ([0, 1] as const).map((i) => {
    const reach = dilation[i] * (w.shape[2 + i]! - 1);
    const spread = (dy.shape[2 + i]! - 1) * stride[i] + 1;
    return { low: reach - pad[i], high: shape[2 + i]! - spread + pad[i] };
  });
  const pads: Pads = [around[0]!.low, around[1]!.low, around[0]!.high, around[1]!.high];
  // w[g, o, c, h, w] with inputs and outputs exchanged within each group.
  const each = emission.reshape(w, [groups, outputs / groups, perGroup, height * width]);
  const exchanged = emission.reshape(emission.transpose(each, [0, 2, 1, 3]), [
    groups * perGroup,
    outputs / groups,
    height,
    width,
  ]);
  const turned =
    height * width === 1 ? exchanged : emission.call('reverse', [exchanged, [2, 3]], exchanged.shape, 'float32');
  return [convolve(emission, spread(emission, dy, stride), turned, { stride: [1, 1], pad: pads, dilation, groups })];
};

/** Inserts zeros between the rows and columns of [B, C, H, W]. */
function spread(emission: Emission, x: Temp, stride: readonly [number, number]): Temp {
  if (stride.every((by) => by === 1)) return x;
  const [batch, channels, rows, columns] = x.shape as [number, number, number, number];
  const planes = batch * channels;
  // Columns, then rows, are each followed by zeros; the zeros after the last one are cut off.
  const wide = emission.pad(emission.reshape(x, [planes * rows, columns, 1]), [0, 0, 0], [0, 0, stride[1] - 1]);
  const width = columns * stride[1];
  const high = emission.pad(emission.reshape(wide, [planes, rows, 1, width]), [0, 0, 0, 0], [0, 0, stride[0] - 1, 0]);
  const all = emission.reshape(high, [batch, channels, rows * stride[0], width]);
  const size = [batch, channels, (rows - 1) * stride[0] + 1, (columns - 1) * stride[1] + 1];
  return emission.slice(all, [0, 0, 0, 0], size);
}

/** Multiplies, for each tap of the kernel, the inputs of the tap by dy. */
export const conv2dDw: Lowering<'conv2d_dw'> = (node, emission) => {
  const [x, dy] = [emission.use(node.inputs[0]), emission.use(node.inputs[1])];
  const { groups } = node.attributes;
  const depthwise = groups > 1 && groups === x.shape[1];
  return [depthwise ? byChannels(emission, x, dy, node.attributes) : byTaps(emission, x, dy, node.attributes)];
};

type Gradient = NodeOf<'conv2d_dw'>['attributes'];

/** [g, O/g, B·H'·W'] by [g, B·H'·W', C/g]; for a single group, a product of two matrices. */
function byTaps(emission: Emission, x: Temp, dy: Temp, { stride, pad, dilation, groups, kernel }: Gradient): Temp {
  const [batch, channels] = x.shape as [number, number];
  const [, outputs, rows, columns] = dy.shape as [number, number, number, number];
  const places = batch * rows * columns;
  const [o, c] = [outputs / groups, channels / groups];
  const left = emission.transpose(emission.reshape(dy, [batch, groups, o, rows * columns]), [1, 2, 0, 3]);
  const windows = emission.reshape(left, [groups, o, places]);
  const images = padded(emission, emission.transpose(x, toRows), pad, [1, 2]);
  const taps = tapsOf(kernel).map(([i, j]) => {
    const tap = tapped(emission, images, [1, 2], [i * dilation[0], j * dilation[1]], stride, [rows, columns]);
    const right = emission.transpose(emission.reshape(tap, [places, groups, c]), [1, 0, 2]);
    return emission.reshape(product(emission, windows, right), [1, outputs, c]);
  });
  return lastTaps(emission, taps, [outputs, c, kernel[0], kernel[1]]);
}

/** For depthwise convolutions: elementwise products, summed over each plane and then over the batch. */
function byChannels(emission: Emission, x: Temp, dy: Temp, { stride, pad, dilation, kernel }: Gradient): Temp {
  const [batch, channels] = x.shape as [number, number];
  const [, outputs, rows, columns] = dy.shape as [number, number, number, number];
  const [m, places] = [outputs / channels, rows * columns];
  const images = padded(emission, x, pad, [2, 3]);
  const windows = emission.reshape(dy, [batch * channels, m, places]);
  const taps = tapsOf(kernel).map(([i, j]) => {
    const tap = tapped(emission, images, [2, 3], [i * dilation[0], j * dilation[1]], stride, [rows, columns]);
    const each = emission.reshape(tap, [batch * channels, 1, places]);
    const products = emission.call('mul', [windows, each], [batch * channels, m, places], 'float32');
    const sums = emission.reshape(reduce(emission, 'sum', products, [2]), [batch, outputs]);
    return emission.reshape(reduce(emission, 'sum', sums, [0]), [1, outputs, 1]);
  });
  return lastTaps(emission, taps, [outputs, 1, kernel[0], kernel[1]]);
}

/** Assembles [O, c, h, w] from one [1, O, c] for each tap. */
function lastTaps(emission: Emission, taps: readonly Temp[], shape: readonly [number, number, number, number]): Temp {
  const [outputs, c] = shape;
  const n = taps.length;
  if (n === 1) return emission.reshape(taps[0]!, shape);
  const all = emission.call('concat', [taps, 0], [n, outputs, c], 'float32');
  return emission.reshape(emission.transpose(all, [1, 2, 0]), shape);
}

function tapsOf([height, width]: readonly [number, number]): [number, number][] {
  return Array.from({ length: height * width }, (_, tap) => [Math.floor(tap / width), tap % width]);
}

/** Returns the inputs of one tap of the kernel: every stride-th row and column of `axes`, beginning at `start`. */
function tapped(
  emission: Emission,
  images: Temp,
  axes: readonly [number, number],
  start: readonly [number, number],
  stride: readonly [number, number],
  counts: readonly [number, number],
): Temp {
  const along = (values: readonly [number, number], other: (axis: number) => number) =>
    images.shape.map((_, axis) => (axis === axes[0] ? values[0] : axis === axes[1] ? values[1] : other(axis)));
  const stop = [0, 1].map((i) => start[i]! + (counts[i]! - 1) * stride[i]! + 1) as [number, number];
  return stepped(
    emission,
    images,
    along(start, () => 0),
    along(stop, (axis) => images.shape[axis]!),
    along(stride, () => 1),
  );
}

function padded(emission: Emission, x: Temp, [top, left, bottom, right]: Pads, axes: readonly [number, number]): Temp {
  const widths = (a: number, b: number) => x.shape.map((_, axis) => (axis === axes[0] ? a : axis === axes[1] ? b : 0));
  return emission.pad(x, widths(top, left), widths(bottom, right));
}
