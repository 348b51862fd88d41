import { Builder } from '../../ir/builder.ts';
import { ops } from '../../ops/table.ts';
import { windowAttributes } from './convolution.ts';
import { gridSample } from './grid-sample.ts';
import { inputOf, type Lowering } from './lowering.ts';
import { float, int, string } from './model.ts';

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

/** Operators that ONNX knows whole. */
export const composite = {
  softmax,
  log_softmax: logSoftmax,
  layer_norm: layerNorm,
  gelu,
  max_pool2d: maxPool2d,
  grid_sample: gridSample,
};
