import { constant, type Dim, one } from '../dims/dim.ts';
import type { CompositeName } from '../ir/names.ts';
import { perElement } from './cost.ts';
import * as kernels from './kernels/composite.ts';
import { map } from './kernels/elementwise.ts';
import { erf } from './kernels/erf.ts';
import { reduce, reducedShape } from './kernels/reduce.ts';
import { input } from './kernels/tensor.ts';
import { proveAxes, reducedAxes, sampleReduction } from './reduce.ts';
import type { OpRow, Random } from './row.ts';
import { anyShape, floats, halves, sizes } from './sampling.ts';
import { at, inputType, isFloat, typing } from './typing.ts';
import { proveWindows, windowFits, windowNumbers } from './windows.ts';

const float = 'x is f32.';

const mean: OpRow<'mean'> = {
  name: 'mean',
  docs: 'The average along `axes`, which vanish, or stay as 1 with `keep`. One FLOP for each element.',
  constraints: [float, reducedAxes],
  inputs: ['x'],
  memory: 'new',
  elements: 'new',
  half: 'f32',
  infer: (inputs, { axes, keep }, facts) =>
    typing(facts, (prove) => {
      const x = inputType(inputs, 0);
      prove.holds(isFloat(x.dtype), float);
      proveAxes(prove, axes, x.shape.length);
      return [{ dtype: x.dtype, shape: reducedShape(x.shape, axes, keep, one) }];
    }),
  reference(inputs, { axes, keep }) {
    const x = input(inputs, 0);
    const n = axes.reduce((product, axis) => product * x.shape[axis]!, 1);
    const total = reduce(x, axes, keep, 0, (sum, value) => sum + value);
    return [map(x.dtype, total, (sum) => sum / n)];
  },
  cost: (inputs, outputs) => perElement(1, inputType(inputs, 0), inputs, outputs),
  sample: (random) => sampleReduction(random, floats),
};

const oneAxis = 'axis is an axis of x.';

const softmax: OpRow<'softmax'> = {
  name: 'softmax',
  docs: 'e^x over its sum along `axis`, safe for large x. 5 FLOPs for each element.',
  constraints: [float, oneAxis],
  inputs: ['x'],
  memory: 'new',
  elements: 'new',
  half: 'f32',
  bounded: true,
  infer: (inputs, { axis }, facts) =>
    typing(facts, (prove) => {
      const x = inputType(inputs, 0);
      prove.holds(isFloat(x.dtype), float);
      prove.holds(Number.isInteger(axis) && 0 <= axis && axis < x.shape.length, oneAxis);
      return [x];
    }),
  reference: (inputs, { axis }) => [kernels.softmax(input(inputs, 0), axis)],
  cost: (inputs, outputs) => perElement(5, inputType(inputs, 0), inputs, outputs),
  sample: sampleAxis,
};

const logSoftmax: OpRow<'log_softmax'> = {
  name: 'log_softmax',
  docs: 'The logarithm of `softmax` along `axis`, safe for large x. 5 FLOPs for each element.',
  constraints: [float, oneAxis],
  inputs: ['x'],
  memory: 'new',
  elements: 'new',
  half: 'f32',
  infer: softmax.infer,
  reference: (inputs, { axis }) => [kernels.logSoftmax(input(inputs, 0), axis)],
  cost: softmax.cost,
  sample: sampleAxis,
};

function sampleAxis(random: Random) {
  const shape = anyShape(random, 1);
  return { inputs: [floats(random, shape, -6, 6)], attributes: { axis: random.int(0, shape.length - 1) } };
}

const normDtype = 'x, scale and bias are f32, or all f16.';
const normRank = 'x has at least one axis; scale and bias have one.';
const normSize = "scale and bias are as long as x's last axis.";
const normEps = 'eps is a finite number, at least 0.';
const layerNorm: OpRow<'layer_norm'> = {
  name: 'layer_norm',
  docs: '`(x[..., C], scale[C], bias[C])`: (x - mean) / sqrt(variance + eps) · scale + bias over the last axis, with the biased variance. 8 FLOPs for each element.',
  constraints: [normDtype, normRank, normEps, normSize],
  inputs: ['x', 'scale', 'bias'],
  memory: 'new',
  elements: 'new',
  half: 'f32 inside',
  bounded: true,
  infer: (inputs, { eps }, facts) =>
    typing(facts, (prove) => {
      const [x, scale, bias] = [inputType(inputs, 0), inputType(inputs, 1), inputType(inputs, 2)];
      const last = x.shape.length - 1;
      prove.holds(isFloat(x.dtype) && scale.dtype === x.dtype && bias.dtype === x.dtype, normDtype);
      prove.holds(last >= 0 && scale.shape.length === 1 && bias.shape.length === 1, normRank);
      prove.holds(Number.isFinite(eps) && eps >= 0, normEps);
      for (const [i, weight] of [scale, bias].entries())
        prove.equal(at(x.shape, last), at(weight.shape, 0), normSize, [
          { input: 0, axis: last },
          { input: i + 1, axis: 0 },
        ]);
      return [x];
    }),
  reference: (inputs, { eps }) => [kernels.layerNorm(input(inputs, 0), input(inputs, 1), input(inputs, 2), eps)],
  cost: (inputs, outputs) => perElement(8, inputType(inputs, 0), inputs, outputs),
  sample(random) {
    const shape = [...anyShape(random).slice(0, 5), random.int(2, 7)];
    const weight = () => floats(random, shape.slice(-1));
    return { inputs: [floats(random, shape), weight(), weight()], attributes: { eps: random.pick([1e-5, 1e-3]) } };
  },
};

const gelu: OpRow<'gelu'> = {
  name: 'gelu',
  docs: 'x · Φ(x), Φ the normal distribution function: exact by erf, or approximated by tanh (arXiv 1606.08415). 8 FLOPs for each element.',
  constraints: [float],
  inputs: ['x'],
  memory: 'new',
  elements: 'own',
  half: 'operands',
  infer: (inputs, _attributes, facts) =>
    typing(facts, (prove) => {
      const x = inputType(inputs, 0);
      prove.holds(isFloat(x.dtype), float);
      return [x];
    }),
  reference(inputs, { approximate }) {
    const x = input(inputs, 0);
    const exact = (value: number) => 0.5 * value * (1 + erf(value * Math.SQRT1_2));
    const byTanh = (value: number) =>
      0.5 * value * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3)));
    return [map(x.dtype, x, approximate ? byTanh : exact)];
  },
  cost: (inputs, outputs) => perElement(8, inputType(inputs, 0), inputs, outputs),
  sample: (random) => ({
    inputs: [floats(random, anyShape(random), -5, 5)],
    attributes: { approximate: random.int(0, 1) === 0 },
  }),
};

const poolRank = 'x is [B, C, H, W]: four axes.';
const poolPad = 'Each padding is smaller than the kernel, so that no window is padding only.';
const maxPool2d: OpRow<'max_pool2d'> = {
  name: 'max_pool2d',
  docs: "The largest element under each window of `x[B, C, H, W]`, padded with -inf; H' = floor((H + top + bottom - h) / stride) + 1. One FLOP for each element of each window.",
  constraints: [float, poolRank, windowNumbers, poolPad, windowFits],
  inputs: ['x'],
  memory: 'new',
  elements: 'new',
  half: 'operands',
  bf16: 'f32',
  infer: (inputs, { kernel, stride, pad }, facts) =>
    typing(facts, (prove) => {
      const x = inputType(inputs, 0);
      prove.holds(isFloat(x.dtype), float);
      prove.holds(x.shape.length === 4, poolRank);
      prove.holds(kernel.every(Number.isInteger), windowNumbers);
      const sides: readonly [Dim, Dim] = [constant(kernel[0]), constant(kernel[1])];
      const window = { kernel: sides, stride, dilation: [1, 1], pad } as const;
      const [rows, columns] = proveWindows(prove, x.shape, window, 0);
      prove.holds(
        pad.every((width, side) => width < kernel[(side % 2) as 0 | 1]),
        poolPad,
      );
      return [{ dtype: x.dtype, shape: [at(x.shape, 0), at(x.shape, 1), rows, columns] }];
    }),
  reference: (inputs, attributes) => [kernels.maxPool2d(input(inputs, 0), attributes)],
  cost: (inputs, outputs, { kernel }) => perElement(kernel[0] * kernel[1], inputType(outputs, 0), inputs, outputs),
  sample(random) {
    const kernel = [random.int(1, 3), random.int(1, 3)] as const;
    const stride = [random.int(1, 3), random.int(1, 3)] as const;
    const width = (i: 0 | 1) => random.int(0, kernel[i] - 1);
    const pad = [width(0), width(1), width(0), width(1)] as const;
    const shape = [random.int(1, 2), random.int(1, 3), random.int(kernel[0], 8), random.int(kernel[1], 8)];
    return { inputs: [random.pick([floats, halves])(random, shape)], attributes: { kernel, stride, pad } };
  },
};

const gridDtype = 'x and at are f32, or both f16.';
const gridRank = 'x is [B, C, H, W] and at is [B, P, 2].';
const gridBatch = 'x and at have the same batch size.';
const gridPair = "at's last axis is 2: x, then y.";
const gridSample: OpRow<'grid_sample'> = {
  name: 'grid_sample',
  docs: "Bilinear samples of images: `(x[B, C, H, W], at[B, P, 2]) -> [B, C, P]`. Positions are pixels, x before y, and 0 is the first pixel's centre; outside the image there are zeros. 16 FLOPs for each sample.",
  constraints: [gridDtype, gridRank, gridBatch, gridPair],
  inputs: ['x', 'at'],
  memory: 'new',
  elements: 'new',
  half: 'f32',
  infer: (inputs, _attributes, facts) =>
    typing(facts, (prove) => {
      const [x, points] = [inputType(inputs, 0), inputType(inputs, 1)];
      prove.holds(isFloat(x.dtype) && x.dtype === points.dtype, gridDtype);
      prove.holds(x.shape.length === 4 && points.shape.length === 3, gridRank);
      prove.equal(at(x.shape, 0), at(points.shape, 0), gridBatch, [
        { input: 0, axis: 0 },
        { input: 1, axis: 0 },
      ]);
      prove.equal(at(points.shape, 2), constant(2), gridPair, [{ input: 1, axis: 2 }]);
      return [{ dtype: x.dtype, shape: [at(x.shape, 0), at(x.shape, 1), at(points.shape, 1)] }];
    }),
  reference: (inputs) => [kernels.gridSample(input(inputs, 0), input(inputs, 1))],
  cost: (inputs, outputs) => perElement(16, inputType(outputs, 0), inputs, outputs),
  sample(random) {
    const [batch = 1, channels = 1, height = 1, width = 1] = [...sizes(random, 2), random.int(1, 6), random.int(1, 6)];
    const points = random.int(1, 9);
    const at = floats(random, [batch, points, 2], -2, 7);
    return { inputs: [floats(random, [batch, channels, height, width]), at], attributes: {} };
  },
};

/** Operators that a target may support natively, each defined by other operators. */
export const compositeRows: { readonly [O in CompositeName]: OpRow<O> } = {
  mean,
  softmax,
  log_softmax: logSoftmax,
  layer_norm: layerNorm,
  gelu,
  max_pool2d: maxPool2d,
  grid_sample: gridSample,
};
