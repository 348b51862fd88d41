import { type Dim, one } from '../../dims/dim.ts';
import { Builder } from '../../ir/builder.ts';
import type { DType } from '../../ir/graph.ts';
import { tensor } from '../../ir/tensor-data.ts';
import { ops } from '../../ops/table.ts';
import { windowAttributes } from './convolution.ts';
import { reshaped } from './data.ts';
import type { Emission } from './emission.ts';
import { inputOf, type Lowering } from './lowering.ts';
import { float, int, string } from './model.ts';
import { knownShape } from './reshape-target.ts';

const softmax: Lowering<'softmax'> = (node, emission) => [
  emission.node('Softmax', [emission.use(inputOf(node, 0))], { axis: int(node.attributes.axis) }),
];

const logSoftmax: Lowering<'log_softmax'> = (node, emission) => [
  emission.node('LogSoftmax', [emission.use(inputOf(node, 0))], { axis: int(node.attributes.axis) }),
];

const layerNorm: Lowering<'layer_norm'> = (node, emission) => {
  const inputs = node.inputs.map((input) => emission.use(input));
  return [emission.node('LayerNormalization', inputs, { axis: int(-1), epsilon: float(node.attributes.eps) })];
};

/** An operator since opset 20. */
const gelu: Lowering<'gelu'> = (node, emission) => {
  const { inputs, attributes, origin } = node;
  if (emission.opset < 20) {
    const build = new Builder(emission.facts);
    build.origin = origin;
    return ops.gelu.definition!(build, inputs, attributes).map((value) => emission.use(value));
  }
  const approximate = attributes.approximate ? { approximate: string('tanh') } : {};
  return [emission.node('Gelu', [emission.use(inputOf(node, 0))], approximate)];
};

const maxPool2d: Lowering<'max_pool2d'> = (node, emission) => {
  const { kernel, stride, pad } = node.attributes;
  const attributes = windowAttributes({ stride, pad, dilation: [1, 1], groups: 1 }, kernel);
  return [emission.node('MaxPool', [emission.use(inputOf(node, 0))], attributes)];
};

/**
 * Pixels become GridSample's -1..1 by (2x + 1)/W - 1, which is exact with align_corners = 0: pixel
 * centres lie at half pixels there. The points are a row of an image for it.
 */
const gridSample: Lowering<'grid_sample'> = (node, emission) => {
  const [x, points] = [inputOf(node, 0), inputOf(node, 1)];
  const [batch, channels, height, width] = x.type.shape as [Dim, Dim, Dim, Dim];
  const [, count, two] = points.type.shape as [Dim, Dim, Dim];
  const { scale, offset } = normalisation(emission, x.type.dtype, height, width);
  const scaled = emission.node('Mul', [emission.use(points), scale]);
  const normal = emission.node('Add', [scaled, offset]);
  const grid = reshaped(emission, normal, points.type.shape, [batch, one, count, two]);
  const attributes = {
    // `bilinear` until opset 19.
    mode: string(emission.opset < 20 ? 'bilinear' : 'linear'),
    padding_mode: string('zeros'),
    align_corners: int(0),
  };
  const sampled = emission.node('GridSample', [emission.use(x), grid], attributes);
  return [reshaped(emission, sampled, [batch, channels, one, count], node.outputs[0]!.type.shape)];
};

/** [2/W, 2/H] and [1/W - 1, 1/H - 1]. */
function normalisation(emission: Emission, dtype: DType, height: Dim, width: Dim): { scale: string; offset: string } {
  const sizes = knownShape(emission.facts, [width, height]);
  if (sizes !== undefined) {
    const pair = (f: (size: number) => number) => emission.data(tensor(dtype, [2], sizes.map(f)));
    return { scale: pair((size) => 2 / size), offset: pair((size) => 1 / size - 1) };
  }
  const size = emission.dims.vectorOf([width, height], dtype);
  const [unit, twice] = [emission.number(1, dtype), emission.number(2, dtype)];
  const offset = emission.shared('Sub', [emission.shared('Div', [unit, size]), unit]);
  return { scale: emission.shared('Div', [twice, size]), offset };
}

/** Operators that ONNX knows whole. */
export const composite = {
  softmax,
  log_softmax: logSoftmax,
  layer_norm: layerNorm,
  gelu,
  max_pool2d: maxPool2d,
  grid_sample: gridSample,
};
