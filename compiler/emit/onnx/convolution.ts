import { add, constant, type Dim, mul, one, sub } from '../../dims/dim.ts';
import type { NodeOf, Value } from '../../ir/graph.ts';
import type { ConvAttributes } from '../../ir/names.ts';
import type { Emission } from './emission.ts';
import type { Lowering } from './lowering.ts';
import { type Attribute, int, ints } from './model.ts';
import { known, knownShape } from './reshape-target.ts';

/** Returns Conv's attributes without those that have their default values. */
export function windowAttributes(
  { stride, pad, dilation, groups }: ConvAttributes,
  kernel: readonly number[] | undefined,
): Record<string, Attribute> {
  const differs = (values: readonly number[], usual: number) => values.some((value) => value !== usual);
  return {
    ...(kernel === undefined ? {} : { kernel_shape: ints(kernel) }),
    ...(differs(stride, 1) ? { strides: ints(stride) } : {}),
    ...(differs(pad, 0) ? { pads: ints(pad) } : {}),
    ...(differs(dilation, 1) ? { dilations: ints(dilation) } : {}),
    ...(groups === 1 ? {} : { group: int(groups) }),
  };
}

/** Emits Conv, with a bias per channel if one is given. */
export function convolution(node: NodeOf<'conv2d'>, emission: Emission, bias?: Value): string {
  const [x, w] = node.inputs;
  const inputs = [x, w, ...(bias === undefined ? [] : [bias])].map((value) => emission.use(value));
  const kernel = knownShape(emission.facts, w.type.shape.slice(2));
  return emission.node('Conv', inputs, node.outputs[0].type, windowAttributes(node.attributes, kernel));
}

export const conv2d: Lowering<'conv2d'> = (node, emission) => [convolution(node, emission)];

/**
 * Lowers to ConvTranspose. Rows and columns that no window of a strided convolution reached become `output_padding`, an
 * attribute. If their number is unknown, the result is cropped or padded to size; also if the padding differs from side
 * to side, for which onnxruntime's CUDA provider has no kernel.
 */
export const conv2dDx: Lowering<'conv2d_dx'> = (node, emission) => {
  const [dy, w] = node.inputs;
  const { stride, pad, dilation, shape } = node.attributes;
  const { facts } = emission;
  const inputs = [emission.use(dy), emission.use(w)];
  const kernel = knownShape(facts, w.type.shape.slice(2));
  /** The size that dy's windows cover, padding included. */
  const covered = ([0, 1] as const).map((i) => {
    const reach = mul(constant(stride[i]), sub(dy.type.shape[2 + i]!, one));
    return add(reach, add(mul(constant(dilation[i]), sub(w.type.shape[2 + i]!, one)), one));
  }) as [Dim, Dim];
  const missed = ([0, 1] as const).map((i) =>
    known(facts, sub(add(shape[2 + i]!, constant(pad[i] + pad[2 + i]!)), covered[i])),
  );
  const isEven = pad[0] === pad[2] && pad[1] === pad[3];
  if (isEven && missed.every((rows) => rows !== undefined)) {
    const rest = missed.some((rows) => rows > 0) ? { output_padding: ints(missed) } : {};
    const attributes = { ...windowAttributes(node.attributes, kernel), ...rest };
    return [emission.node('ConvTranspose', inputs, node.outputs[0].type, attributes)];
  }
  // The operator crops what both sides lose in any case.
  const even = ([0, 1] as const).map((i) => {
    const rows = missed[i];
    return rows === undefined ? 0 : Math.max(0, Math.min(pad[i], pad[2 + i]! - rows));
  }) as [number, number];
  const { dtype } = node.outputs[0].type;
  const computed = covered.map((size, i) => sub(size, constant(2 * even[i]!)));
  const attributes = windowAttributes({ ...node.attributes, pad: [...even, ...even] }, kernel);
  const all = { dtype, shape: [shape[0]!, shape[1]!, ...computed] };
  const whole = emission.node('ConvTranspose', inputs, all, attributes);
  // Negative pads crop.
  const low = ([0, 1] as const).map((i) => constant(even[i] - pad[i]));
  const high = ([0, 1] as const).map((i) => sub(sub(shape[2 + i]!, computed[i]!), low[i]!));
  const pads = emission.dims.vector([constant(0), constant(0), ...low, constant(0), constant(0), ...high]);
  return [emission.node('Pad', [whole, pads], node.outputs[0].type)];
};
