import { definitions } from '../../definitions/table.ts';
import { one } from '../../dims/dim.ts';
import { Builder } from '../../graphs/builder.ts';
import { windowAttributes } from './convolution.ts';
import { gridSample } from './grid-sample.ts';
import type { Lowering } from './lowering.ts';
import { float, int, string } from './model.ts';
import { reshaped } from './reshaped.ts';
import { onRows } from './rows.ts';

const softmax: Lowering<'softmax'> = (node, emission) => [
  emission.node('Softmax', [emission.use(node.inputs[0])], node.outputs[0].type, {
    axis: int(node.attributes.axis),
  }),
];

const logSoftmax: Lowering<'log_softmax'> = (node, emission) => [
  emission.node('LogSoftmax', [emission.use(node.inputs[0])], node.outputs[0].type, {
    axis: int(node.attributes.axis),
  }),
];

/**
 * If the operand is a sum with three axes, its rows get another axis. Otherwise onnxruntime would fuse Add and
 * LayerNormalization into SkipLayerNormalization, whose CPU kernel takes three times as long as the two (1.30; 19,125
 * rows of 256: 28 ms against 10 ms).
 */
const layerNorm: Lowering<'layer_norm'> = (node, emission) => {
  const { eps } = node.attributes;
  const attributes = { axis: int(-1), epsilon: float(eps) };
  const inRows = onRows(node, emission, 'LayerNormalization', attributes);
  if (inRows !== undefined) return inRows;
  const [operand, scale, bias] = node.inputs.map((input) => emission.use(input)) as [string, string, string];
  const { type } = node.inputs[0];
  const { dtype, shape } = type;
  const apart = node.inputs[0].node.op === 'add' && shape.length === 3 && !emission.allowed.skipNorm;
  const rows = apart ? [shape[0]!, one, ...shape.slice(1)] : shape;
  const inputs = [reshaped(emission, operand, type, rows), scale, bias];
  const normal = { dtype, shape: rows };
  const deviation = emission.plan.deviations.ofNorms.get(node);
  let name: string;
  if (deviation === undefined) name = emission.node('LayerNormalization', inputs, normal, attributes);
  else {
    const each = { dtype, shape: rows.with(-1, one) };
    const [y, , reciprocal] = emission.results('LayerNormalization', inputs, [normal, undefined, each], attributes);
    emission.reciprocals.set(deviation, reshaped(emission, reciprocal!, each, deviation.type.shape));
    name = y!;
  }
  if (!apart) return [name];
  emission.nameForm(node.outputs[0], { kind: 'reshaped', name, shape: rows });
  return [undefined];
};

/** ONNX has the operator since opset 20. */
const gelu: Lowering<'gelu'> = (node, emission) => {
  const { inputs, attributes, origin } = node;
  if (emission.opset < 20) {
    const build = new Builder(emission.facts);
    build.origin = origin;
    return definitions.gelu(build, inputs, attributes).map((value) => emission.use(value));
  }
  const approximate = attributes.approximate ? { approximate: string('tanh') } : {};
  const inRows = onRows(node, emission, 'Gelu', approximate);
  if (inRows !== undefined) return inRows;
  return [emission.node('Gelu', [emission.use(node.inputs[0])], node.outputs[0].type, approximate)];
};

const maxPool2d: Lowering<'max_pool2d'> = (node, emission) => {
  const { kernel, stride, pad } = node.attributes;
  const attributes = windowAttributes({ stride, pad, dilation: [1, 1], groups: 1 }, kernel);
  return [emission.node('MaxPool', [emission.use(node.inputs[0])], node.outputs[0].type, attributes)];
};

/** Composite operators that ONNX supports natively. */
export const composite = {
  softmax,
  log_softmax: logSoftmax,
  layer_norm: layerNorm,
  gelu,
  max_pool2d: maxPool2d,
  grid_sample: gridSample,
};
