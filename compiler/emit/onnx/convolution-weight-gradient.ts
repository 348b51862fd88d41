import { add, constant, type Dim, floorDiv, mul, one, product, sub, zero } from '../../dims/dim.ts';
import type { NodeOf } from '../../ir/graph.ts';
import { windowAttributes } from './convolution.ts';
import { sliced } from './data.ts';
import type { Emission } from './emission.ts';
import type { Lowering } from './lowering.ts';
import { int, ints } from './model.ts';
import { known } from './reshape-target.ts';
import { reshaped } from './reshaped.ts';

type Gradient = NodeOf<'conv2d_dw'>;

/**
 * ONNX has no operator for this gradient. A depthwise one becomes a convolution in which each channel of each image is
 * a group; any other becomes a matrix product for each tap of the kernel. Each is the faster choice in its case
 * (onnxruntime CPU).
 */
export const conv2dDw: Lowering<'conv2d_dw'> = (node, emission) => {
  const [x, dy] = [node.inputs[0].type.shape, node.inputs[1].type.shape];
  const [channels, outputs] = [known(emission.facts, x[1]!), known(emission.facts, dy[1]!)];
  const batch = known(emission.facts, x[0]!);
  const depthwise = channels !== undefined && channels === node.attributes.groups && channels === outputs;
  return [depthwise && batch !== undefined ? asDepthwise(node, emission, batch, channels) : byTaps(node, emission)];
};

/** Convolves x with dy as the kernel; stride and dilation are exchanged. */
function asDepthwise(node: Gradient, emission: Emission, batch: number, channels: number): string {
  const [x, dy] = node.inputs;
  const { stride, dilation, pad, kernel } = node.attributes;
  const groups = batch * channels;
  const [images, [, , ...windows]] = [x.type.shape, dy.type.shape];
  const flat = (value: typeof x, to: readonly Dim[]) => reshaped(emission, emission.use(value), value.type, to);
  const inputs = [
    flat(x, [one, constant(groups), images[2]!, images[3]!]),
    flat(dy, [constant(groups), one, ...windows]),
  ];
  const swapped = windowAttributes({ stride: dilation, dilation: stride, pad, groups }, undefined);
  // Rows of x that no window reached yield additional taps that the kernel does not have.
  const found = ([0, 1] as const).map((i) => {
    const reach = add(mul(constant(stride[i]), sub(windows[i]!, one)), one);
    const free = sub(add(images[2 + i]!, constant(pad[i] + pad[2 + i]!)), reach);
    return add(floorDiv(free, dilation[i]), one);
  });
  const { dtype } = x.type;
  const taps = emission.node('Conv', inputs, { dtype, shape: [one, constant(groups), ...found] }, swapped);
  const extra = found.flatMap((size, i) => (known(emission.facts, size) === kernel[i] ? [] : [i as 0 | 1]));
  const ends = extra.map((i) => constant(kernel[i]));
  const axes = extra.map((i) => 2 + i);
  const ofKernel = { dtype, shape: [1, groups, ...kernel].map(constant) };
  const cropped =
    extra.length === 0 ? taps : sliced(emission, taps, ofKernel, { start: axes.map(() => zero), stop: ends, axes });
  const stacked = [batch, channels, 1, ...kernel];
  const each = emission.node('Reshape', [cropped, emission.i64(stacked)], { dtype, shape: stacked.map(constant) });
  return emission.node('ReduceSum', [each, emission.i64([0])], node.outputs[0].type, { keepdims: int(0) });
}

/**
 * Multiplies, for each tap, the inputs of the tap by dy: [groups, O/groups, B·H'·W'] by [groups, B·H'·W', C/groups].
 */
function byTaps(node: Gradient, emission: Emission): string {
  const [x, dy] = node.inputs;
  const { groups, kernel, stride, dilation, pad } = node.attributes;
  const [batch, channels, height, width] = x.type.shape as [Dim, Dim, Dim, Dim];
  const [, outputs, rows, columns] = dy.type.shape as [Dim, Dim, Dim, Dim];
  const places = product([batch, rows, columns]);
  const [perGroup, outputsPerGroup] = [floorDiv(channels, groups), floorDiv(outputs, groups)];
  const lead = groups === 1 ? [] : [constant(groups)];
  const { dtype } = x.type;
  /** [B, C, h, w] with channels and batch arranged for a product of each group. */
  const arranged = (
    name: string,
    from: readonly Dim[],
    each: Dim,
    perm: readonly number[],
    grouped: readonly number[],
  ) => {
    const transposed = (name: string, shape: readonly Dim[], perm: readonly number[]) =>
      emission.node('Transpose', [name], { dtype, shape: perm.map((axis) => shape[axis]!) }, { perm: ints(perm) });
    if (groups === 1) return transposed(name, from, perm);
    const split = [from[0]!, constant(groups), each, from[2]!, from[3]!];
    return transposed(reshaped(emission, name, { dtype, shape: from }, split), split, grouped);
  };

  const windows = arranged(emission.use(dy), dy.type.shape, outputsPerGroup, [1, 0, 2, 3], [1, 2, 0, 3, 4]);
  const left = reshaped(emission, windows, { dtype, shape: [...lead, outputsPerGroup, batch, rows, columns] }, [
    ...lead,
    outputsPerGroup,
    places,
  ]);

  const margin = [0, 0, pad[0], pad[1], 0, 0, pad[2], pad[3]];
  const size = [add(height, constant(pad[0] + pad[2])), add(width, constant(pad[1] + pad[3]))] as const;
  const framed = [batch, channels, ...size];
  const padded = pad.some((n) => n > 0)
    ? emission.node('Pad', [emission.use(x), emission.i64(margin)], { dtype, shape: framed })
    : emission.use(x);
  const images = arranged(padded, framed, perGroup, [0, 2, 3, 1], [1, 0, 3, 4, 2]);
  const axes = groups === 1 ? [1, 2] : [2, 3];
  const tapType = { dtype, shape: [...lead, batch, rows, columns, perGroup] };
  const productType = { dtype, shape: [...lead, outputsPerGroup, perGroup] };

  const products: string[] = [];
  for (let i = 0; i < kernel[0]; i++)
    for (let j = 0; j < kernel[1]; j++) {
      const start = [i * dilation[0], j * dilation[1]];
      const stop = [rows, columns].map((count, axis) =>
        add(mul(constant(stride[axis]!), sub(count, one)), constant(start[axis]! + 1)),
      );
      const whole =
        kernel[0] * kernel[1] === 1 && stop.every((end, axis) => known(emission.facts, sub(end, size[axis]!)) === 0);
      const tap =
        whole && stride.every((by) => by === 1)
          ? images
          : sliced(emission, images, tapType, {
              start: start.map(constant),
              stop: fromEnd(emission, stop, size),
              axes,
              step: stride,
            });
      const right = reshaped(emission, tap, tapType, [...lead, places, perGroup]);
      products.push(emission.node('MatMul', [left, right], productType));
    }
  const result = node.outputs[0].type.shape;
  if (products.length === 1) return reshaped(emission, products[0]!, productType, result);
  const taps = constant(products.length);
  const first = groups === 1 ? mul(taps, outputsPerGroup) : constant(groups * products.length);
  const joined = { dtype, shape: groups === 1 ? [first, perGroup] : [first, outputsPerGroup, perGroup] };
  const all = emission.node('Concat', products, joined, { axis: int(0) });
  const byTap = reshaped(emission, all, joined, [taps, outputs, perGroup]);
  const tapsLast = { dtype, shape: [outputs, perGroup, taps] };
  const last = emission.node('Transpose', [byTap], tapsLast, { perm: ints([1, 2, 0]) });
  return reshaped(emission, last, tapsLast, result);
}

/** Returns stops counted from the end of the axis if that needs no size. */
function fromEnd(emission: Emission, stop: readonly Dim[], size: readonly Dim[]): Dim[] {
  return stop.map((end, i) => {
    const rest = known(emission.facts, sub(end, size[i]!));
    if (rest === undefined) return end;
    return constant(rest === 0 ? 2 ** 31 - 1 : rest);
  });
}
