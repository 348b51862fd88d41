import { constant, type Dim, floorDiv, mul, product } from '../dims/dim.ts';
import type { ContractName, ConvAttributes } from '../ir/names.ts';
import type { TensorType } from '../ir/types.ts';
import { broadcastConstraint, broadcastShapes } from './broadcasting.ts';
import { elements, traffic } from './cost.ts';
import * as kernels from './kernels/contract.ts';
import { input, sizeOf } from './kernels/tensor.ts';
import type { OpRow, Random } from './row.ts';
import { alignedShapes, dims, floats } from './sampling.ts';
import { at, inputType, isFloat, type Obligations, positiveShape, typing } from './typing.ts';
import { proveWindows, windowFits, windowNumbers } from './windows.ts';

const floatInputs = 'Both inputs are f32, or both f16.';

function proveFloats(prove: Obligations, a: TensorType, b: TensorType): void {
  prove.holds(isFloat(a.dtype) && a.dtype === b.dtype, floatInputs);
}

const matmulRank = 'Both inputs have at least two axes.';
const matmulInner = 'The columns of a are as many as the rows of b.';
const matmul: OpRow<'matmul'> = {
  name: 'matmul',
  docs: 'Matrix products: `(a[...A, M, K], b[...B, K, N]) -> [..., M, N]`; the leading axes A and B broadcast. 2·M·N·K FLOPs for each product.',
  constraints: [floatInputs, matmulRank, matmulInner, broadcastConstraint],
  inputs: ['a', 'b'],
  memory: 'new',
  elements: 'new',
  half: 'half',
  infer: (inputs, _attributes, facts) =>
    typing(facts, (prove) => {
      const [a, b] = [inputType(inputs, 0), inputType(inputs, 1)];
      const [rankA, rankB] = [a.shape.length, b.shape.length];
      proveFloats(prove, a, b);
      prove.holds(rankA >= 2 && rankB >= 2, matmulRank);
      prove.equal(at(a.shape, rankA - 1), at(b.shape, rankB - 2), matmulInner, [
        { input: 0, axis: rankA - 1 },
        { input: 1, axis: rankB - 2 },
      ]);
      const batch = broadcastShapes(prove, [a.shape.slice(0, -2), b.shape.slice(0, -2)]);
      return [{ dtype: a.dtype, shape: [...batch, at(a.shape, rankA - 2), at(b.shape, rankB - 1)] }];
    }),
  reference: (inputs) => [kernels.matmul(input(inputs, 0), input(inputs, 1))],
  cost(inputs, outputs) {
    const a = inputType(inputs, 0);
    const inner = at(a.shape, a.shape.length - 1);
    return {
      flops: product([constant(2), elements(inputType(outputs, 0)), inner]),
      bytes: traffic(inputs, outputs),
    };
  },
  sample(random) {
    const [m, k, n] = [random.int(1, 4), random.int(1, 4), random.int(1, 4)];
    const [left = [], right = []] = alignedShapes(random, 2).map((shape) => shape.slice(-3));
    return { inputs: [floats(random, [...left, m, k]), floats(random, [...right, k, n])], attributes: {} };
  },
};

const fourAxes = 'Images are [B, C, H, W] and weights [O, C/groups, h, w]: four axes each.';
const wholeGroups = 'groups is a whole number, at least 1, and divides the output channels.';
const channels = 'The input channels are groups times the second axis of the weights.';

/**
 * Returns the output shape of a convolution. `from` gives the positions of x and w among the inputs, if they are
 * inputs.
 */
function proveConvolution(
  prove: Obligations,
  x: readonly Dim[],
  w: readonly Dim[],
  { stride, pad, dilation, groups }: ConvAttributes,
  from: { readonly x?: number; readonly w?: number },
): Dim[] {
  prove.holds(x.length === 4 && w.length === 4, fourAxes);
  prove.holds(Number.isInteger(groups) && groups >= 1, wholeGroups);
  const axisOf = (input: number | undefined, axis: number) => (input === undefined ? [] : [{ input, axis }]);
  prove.divides(groups, at(w, 0), wholeGroups, axisOf(from.w, 0));
  prove.equal(at(x, 1), mul(constant(groups), at(w, 1)), channels, [...axisOf(from.x, 1), ...axisOf(from.w, 1)]);
  const window = { kernel: [at(w, 2), at(w, 3)], stride, pad, dilation } as const;
  return [at(x, 0), at(w, 0), ...proveWindows(prove, x, window, from.x)];
}

/** 2·B·O·H'·W'·(C/groups)·h·w. */
function convolutionFlops(y: TensorType, w: TensorType): Dim {
  return product([constant(2), elements(y), ...w.shape.slice(1)]);
}

const conv2d: OpRow<'conv2d'> = {
  name: 'conv2d',
  docs: "Convolution (cross-correlation) `(x[B, C, H, W], w[O, C/groups, h, w]) -> [B, O, H', W']` with zero padding [top, left, bottom, right]; H' = floor((H + top + bottom - dilation·(h-1) - 1) / stride) + 1. 2·h·w·C/groups FLOPs for each output element.",
  constraints: [floatInputs, fourAxes, wholeGroups, channels, windowNumbers, windowFits],
  inputs: ['x', 'w'],
  memory: 'new',
  elements: 'new',
  half: 'half',
  bf16: 'f32',
  infer: (inputs, attributes, facts) =>
    typing(facts, (prove) => {
      const [x, w] = [inputType(inputs, 0), inputType(inputs, 1)];
      proveFloats(prove, x, w);
      return [{ dtype: x.dtype, shape: proveConvolution(prove, x.shape, w.shape, attributes, { x: 0, w: 1 }) }];
    }),
  reference: (inputs, attributes) => [kernels.conv2d(input(inputs, 0), input(inputs, 1), attributes)],
  cost: (inputs, outputs) => ({
    flops: convolutionFlops(inputType(outputs, 0), inputType(inputs, 1)),
    bytes: traffic(inputs, outputs),
  }),
  sample(random) {
    const { x, w, attributes } = sampleConvolution(random);
    return { inputs: [floats(random, x), floats(random, w)], attributes };
  },
};

const gradientShape = 'dy has the shape of the convolution’s result.';

function proveGradient(prove: Obligations, dy: readonly Dim[], expected: readonly Dim[], input: number): void {
  prove.holds(dy.length === 4, fourAxes);
  for (const [axis, dim] of dy.entries()) prove.equal(dim, at(expected, axis), gradientShape, [{ input, axis }]);
}

const positive = 'Every dim of the shape is at least 1.';
const conv2dDx: OpRow<'conv2d_dx'> = {
  name: 'conv2d_dx',
  docs: "The gradient of `conv2d` in x, which has `shape`: `(dy[B, O, H', W'], w) -> shape`. As many FLOPs as the convolution.",
  constraints: [floatInputs, positive, fourAxes, wholeGroups, channels, windowNumbers, windowFits, gradientShape],
  inputs: ['dy', 'w'],
  memory: 'new',
  elements: 'new',
  half: 'half',
  bf16: 'f32',
  infer: (inputs, attributes, facts) =>
    typing(facts, (prove) => {
      const [dy, w] = [inputType(inputs, 0), inputType(inputs, 1)];
      proveFloats(prove, dy, w);
      positiveShape(prove, attributes.shape, positive);
      proveGradient(prove, dy.shape, proveConvolution(prove, attributes.shape, w.shape, attributes, { w: 1 }), 0);
      return [{ dtype: dy.dtype, shape: attributes.shape }];
    }),
  reference: (inputs, attributes) => [
    kernels.conv2dInputGradient(input(inputs, 0), input(inputs, 1), attributes.shape.map(sizeOf), attributes),
  ],
  cost: (inputs, outputs) => ({
    flops: convolutionFlops(inputType(inputs, 0), inputType(inputs, 1)),
    bytes: traffic(inputs, outputs),
  }),
  sample(random) {
    const { x, w, y, attributes } = sampleConvolution(random);
    return { inputs: [floats(random, y), floats(random, w)], attributes: { ...attributes, shape: dims(x) } };
  },
};

const groupsDivide = 'groups divides the input channels.';
const conv2dDw: OpRow<'conv2d_dw'> = {
  name: 'conv2d_dw',
  docs: "The gradient of `conv2d` in its weights, `kernel` = [h, w]: `(x[B, C, H, W], dy[B, O, H', W']) -> [O, C/groups, h, w]`. As many FLOPs as the convolution.",
  constraints: [floatInputs, fourAxes, groupsDivide, wholeGroups, windowNumbers, windowFits, gradientShape],
  inputs: ['x', 'dy'],
  memory: 'new',
  elements: 'new',
  half: 'half',
  bf16: 'f32',
  infer: (inputs, attributes, facts) =>
    typing(facts, (prove) => {
      const [x, dy] = [inputType(inputs, 0), inputType(inputs, 1)];
      const { groups, kernel } = attributes;
      proveFloats(prove, x, dy);
      prove.holds(x.shape.length === 4 && dy.shape.length === 4, fourAxes);
      prove.holds(Number.isInteger(groups) && groups >= 1, wholeGroups);
      prove.divides(groups, at(x.shape, 1), groupsDivide, [{ input: 0, axis: 1 }]);
      const shape = [at(dy.shape, 1), floorDiv(at(x.shape, 1), groups), constant(kernel[0]), constant(kernel[1])];
      proveGradient(prove, dy.shape, proveConvolution(prove, x.shape, shape, attributes, { x: 0 }), 1);
      return [{ dtype: x.dtype, shape }];
    }),
  reference: (inputs, attributes) => [
    kernels.conv2dWeightGradient(input(inputs, 0), input(inputs, 1), attributes.kernel, attributes),
  ],
  cost: (inputs, outputs) => ({
    flops: convolutionFlops(inputType(inputs, 1), inputType(outputs, 0)),
    bytes: traffic(inputs, outputs),
  }),
  sample(random) {
    const { x, w, y, attributes } = sampleConvolution(random);
    const kernel = [w[2]!, w[3]!] as const;
    return { inputs: [floats(random, x), floats(random, y)], attributes: { ...attributes, kernel } };
  },
};

/** Shapes of a convolution: dense, grouped or depthwise, strided, dilated, padded unevenly. */
function sampleConvolution(random: Random) {
  const style = random.pick(['dense', 'grouped', 'depthwise'] as const);
  const groups = style === 'dense' ? 1 : random.int(2, 4);
  const perGroup = style === 'depthwise' ? 1 : random.int(1, 3);
  const outputs = groups * (style === 'depthwise' ? random.pick([1, 1, 2]) : random.int(1, 3));
  const kernel = [random.int(1, 3), random.int(1, 3)] as const;
  const stride = [random.int(1, 3), random.int(1, 3)] as const;
  const dilation = [random.pick([1, 1, 2]), random.pick([1, 1, 2])] as const;
  const pad = [random.int(0, 2), random.int(0, 2), random.int(0, 2), random.int(0, 2)] as const;
  const size = (i: 0 | 1): number =>
    random.int(Math.max(1, dilation[i] * (kernel[i] - 1) + 1 - pad[i] - pad[2 + i]!), 8);
  const x = [random.int(1, 2), groups * perGroup, size(0), size(1)];
  const windows = (i: 0 | 1): number =>
    kernels.windows(x[2 + i]!, kernel[i], stride[i], dilation[i], pad[i] + pad[2 + i]!);
  return {
    x,
    w: [outputs, perGroup, ...kernel],
    y: [x[0]!, outputs, windows(0), windows(1)],
    attributes: { stride, pad, dilation, groups },
  };
}

/** Matrix products and convolutions. */
export const contractRows: { readonly [O in ContractName]: OpRow<O> } = {
  matmul,
  conv2d,
  conv2d_dx: conv2dDx,
  conv2d_dw: conv2dDw,
};
