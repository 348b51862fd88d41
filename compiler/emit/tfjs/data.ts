import { indexUseIn } from '../../graphs/index-check.ts';
import { elementCount, scalar, tensor } from '../../ir/tensor-data.ts';
import { mapped } from '../../lists.ts';
import type { Emission } from './emission.ts';
import type { Lowering } from './lowering.ts';
import type { Temp } from './program.ts';

const constant: Lowering<'constant'> = (node, emission) => [emission.constant(node.attributes.tensor)];

const full: Lowering<'full'> = (node, emission) => {
  const { value, dtype } = node.attributes;
  const shape = emission.sizes(node.attributes.shape);
  return [shape.length === 0 ? emission.constant(scalar(dtype, value)) : emission.fill(shape, value, dtype)];
};

const iota: Lowering<'iota'> = (node, emission) => {
  const n = emission.size(node.attributes.n);
  const numbers = Int32Array.from({ length: n }, (_, i) => i);
  return [emission.constant(tensor('i32', [n], numbers))];
};

const dim: Lowering<'dim'> = (node, emission) => [
  emission.constant(scalar('i32', emission.size(node.attributes.value))),
];

const uniform: Lowering<'uniform'> = (node, emission) => [
  emission.draw(node.attributes.key, emission.sizes(node.attributes.shape)),
];

const stopGradient: Lowering<'stop_gradient'> = (node, emission) => [emission.use(node.inputs[0])];

/** A no-op: this program runs in the order of the graph, and nothing merges equal computations. */
const barrier: Lowering<'barrier'> = (node, emission) => [emission.use(node.inputs[0])];

const reshape: Lowering<'reshape'> = (node, emission) => [
  emission.reshape(emission.use(node.inputs[0]), emission.sizes(node.attributes.shape)),
];

const transpose: Lowering<'transpose'> = (node, emission) => [
  emission.transpose(emission.use(node.inputs[0]), node.attributes.perm),
];

const broadcast: Lowering<'broadcast'> = (node, emission) => [
  emission.expand(emission.use(node.inputs[0]), emission.sizes(node.attributes.shape)),
];

const concat: Lowering<'concat'> = (node, emission) => {
  const { axis } = node.attributes;
  const inputs = mapped(node.inputs, (input) => emission.use(input));
  const shape = emission.shape(node.outputs[0]);
  const { dtype } = inputs[0];
  if (shape.length <= 4) return [emission.call('concat', [inputs, axis], shape, dtype)];
  const merged = (sizes: readonly number[]) => [elementCount(sizes.slice(0, axis)), elementCount(sizes.slice(axis))];
  const rows = inputs.map((input) => emission.reshape(input, merged(input.shape)));
  return [emission.reshape(emission.call('concat', [rows, 1], merged(shape), dtype), shape)];
};

/** A slice with steps becomes gathers, because wasm's StridedSlice converts every dtype to float32. */
const slice: Lowering<'slice'> = (node, emission) => {
  const x = emission.use(node.inputs[0]);
  const [start, stop] = [emission.sizes(node.attributes.start), emission.sizes(node.attributes.stop)];
  return [stepped(emission, x, start, stop, node.attributes.step)];
};

/** Selects start, start + step, … before stop along each axis. */
export function stepped(
  emission: Emission,
  x: Temp,
  start: readonly number[],
  stop: readonly number[],
  step: readonly number[],
): Temp {
  const counts = start.map((from, axis) => Math.ceil((stop[axis]! - from) / step[axis]!));
  const spans = counts.map((n, axis) => (n - 1) * step[axis]! + 1);
  return counts.reduce(
    (picked, n, axis) => {
      if (n === 1 || step[axis] === 1) return picked;
      const outer = elementCount(picked.shape.slice(0, axis));
      const inner = elementCount(picked.shape.slice(axis + 1));
      const index = tensor(
        'i32',
        [n],
        Int32Array.from({ length: n }, (_, i) => i * step[axis]!),
      );
      const rows = emission.reshape(picked, [outer, picked.shape[axis]!, inner]);
      const taken = emission.call('gather', [rows, emission.constant(index), 1], [outer, n, inner], x.dtype);
      return emission.reshape(
        taken,
        picked.shape.map((size, other) => (other === axis ? n : size)),
      );
    },
    emission.slice(x, start, spans),
  );
}

const pad: Lowering<'pad'> = (node, emission) => {
  const { low, high, value } = node.attributes;
  return [emission.pad(emission.use(node.inputs[0]), emission.sizes(low), emission.sizes(high), value)];
};

/**
 * Uses gatherND, because wasm's gather computes the position of each element anew (80 times as slow). gatherND does not
 * support bool.
 */
const gather: Lowering<'gather'> = (node, emission) => {
  const [x, index] = [emission.use(node.inputs[0]), emission.rowIndex(indexUseIn(node))];
  const row = elementCount(x.shape.slice(1));
  const n = elementCount(index.shape);
  const rows = emission.reshape(x, [x.shape[0]!, row]);
  const picked =
    x.dtype === 'bool'
      ? emission.call('gather', [rows, emission.reshape(index, [n]), 0], [n, row], x.dtype)
      : emission.call('gatherND', [rows, emission.reshape(index, [n, 1])], [n, row], x.dtype);
  return [emission.reshape(picked, emission.shape(node.outputs[0]))];
};

/** scatterND adds updates to the same row. */
const scatterAdd: Lowering<'scatter_add'> = (node, emission) => {
  const [index, updates] = [emission.rowIndex(indexUseIn(node)), emission.use(node.inputs[1])];
  const shape = emission.shape(node.outputs[0]);
  const row = elementCount(shape.slice(1));
  const n = elementCount(index.shape);
  const at = emission.reshape(index, [n, 1]);
  const added = emission.reshape(updates, [n, row]);
  const sum = emission.call('scatterND', [at, added, [shape[0]!, row]], [shape[0]!, row], updates.dtype);
  return [emission.reshape(sum, shape)];
};

/** Operators that create, move and select elements. */
export const data = {
  constant,
  full,
  iota,
  dim,
  uniform,
  stop_gradient: stopGradient,
  barrier,
  reshape,
  transpose,
  broadcast,
  concat,
  slice,
  pad,
  gather,
  scatter_add: scatterAdd,
};
