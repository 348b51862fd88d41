import type { NodeOf } from '../../ir/graph.ts';
import { stepped } from './data.ts';
import type { Emission } from './emission.ts';
import type { Lowering } from './lowering.ts';
import type { Temp } from './program.ts';

type Defined = 'log_softmax' | 'layer_norm' | 'gelu' | 'grid_sample';

const byDefinition = (node: NodeOf<Defined>, emission: Emission): readonly Temp[] => emission.define(node);

/** The kernel only supports the last axis. */
const softmax: Lowering<'softmax'> = (node, emission) => {
  const x = emission.use(node.inputs[0]);
  const n = x.shape.at(-1)!;
  if (node.attributes.axis !== x.shape.length - 1) return emission.define(node);
  const rows = emission.reshape(x, [x.shape.reduce((a, b) => a * b, 1) / n, n]);
  return [emission.reshape(emission.call('softmax', [rows], rows.shape, 'float32'), x.shape)];
};

/** wasm rejects a window of one element, which is the same as a slice with steps. */
const maxPool2d: Lowering<'max_pool2d'> = (node, emission) => {
  const x = emission.use(node.inputs[0]);
  const { kernel, stride, pad } = node.attributes;
  if (kernel[0] * kernel[1] === 1) {
    return [stepped(emission, x, [0, 0, 0, 0], x.shape, [1, 1, ...stride])];
  }
  const images = emission.transpose(x, [0, 2, 3, 1]);
  const [top, left, bottom, right] = pad;
  const padded = emission.pad(images, [0, top, left, 0], [0, bottom, right, 0], Number.NEGATIVE_INFINITY);
  const [batch, channels, rows, columns] = emission.shape(node.outputs[0]) as [number, number, number, number];
  const pooled = emission.call(
    'maxPool',
    [padded, kernel, stride, 'valid'],
    [batch, rows, columns, channels],
    'float32',
  );
  return [emission.transpose(pooled, [0, 3, 1, 2])];
};

/** Composite operators; those without a better kernel in TensorFlow.js are lowered by their definitions. */
export const composite = {
  softmax,
  log_softmax: byDefinition,
  layer_norm: byDefinition,
  gelu: byDefinition,
  max_pool2d: maxPool2d,
  grid_sample: byDefinition,
};
