import { type Dim, constant as dimOf, one, sub } from '../../dims/dim.ts';
import { indexUseIn } from '../../graphs/index-check.ts';
import type { NodeOf } from '../../ir/graph.ts';
import { sameDim, sameShape } from '../../ir/shapes.ts';
import { elementCount, tensor } from '../../ir/tensor-data.ts';
import type { TensorType } from '../../ir/types.ts';
import { barrier } from './barrier.ts';
import type { Emission } from './emission.ts';
import type { Partition, Pick } from './fusions.ts';
import type { Lowering } from './lowering.ts';
import { int, ints, tensorOf } from './model.ts';
import { padByConcat } from './pad-by-concat.ts';
import { known, knownShape } from './reshape-target.ts';
import { reshaped } from './reshaped.ts';
import { concatOfRows, splitOfRows } from './rows.ts';
import { scatterAdd } from './scatter.ts';

/** Tensors of up to this many elements are stored rather than computed. */
const storedElements = 4096;
/** A stop beyond the axis: Slice clamps it to the end (the largest int32, as the specification recommends). */
const toTheEnd = dimOf(2 ** 31 - 1);

const constant: Lowering<'constant'> = (node, emission) => [emission.data(node.attributes.tensor)];

const full: Lowering<'full'> = (node, emission) => {
  const { value, dtype, shape } = node.attributes;
  if (shape.length === 0) return [emission.number(value, dtype)];
  const sizes = knownShape(emission.facts, shape);
  if (sizes !== undefined && elementCount(sizes) <= storedElements)
    return [emission.data(tensor(dtype, sizes, new Float64Array(elementCount(sizes)).fill(value)))];
  const fill = { value: tensorOf(tensor(dtype, [1], [value])) };
  return [emission.node('ConstantOfShape', [emission.dims.vector(shape)], node.outputs[0].type, fill)];
};

const iota: Lowering<'iota'> = (node, emission) => {
  const n = known(emission.facts, node.attributes.n);
  if (n !== undefined && n <= storedElements)
    return [
      emission.data(
        tensor(
          'i32',
          [n],
          Int32Array.from({ length: n }, (_, i) => i),
        ),
      ),
    ];
  const limit = n === undefined ? emission.dims.scalar(node.attributes.n, 'i32') : emission.number(n, 'i32');
  const inputs = [emission.number(0, 'i32'), limit, emission.number(1, 'i32')];
  return [emission.node('Range', inputs, node.outputs[0].type)];
};

const dim: Lowering<'dim'> = (node, emission) => {
  const size = known(emission.facts, node.attributes.value);
  return [size === undefined ? emission.dims.scalar(node.attributes.value, 'i32') : emission.number(size, 'i32')];
};

const uniform: Lowering<'uniform'> = (node, emission) => [emission.draw(node.attributes.key, node.outputs[0].type)];

const stopGradient: Lowering<'stop_gradient'> = (node, emission) => [emission.use(node.inputs[0])];

const reshape: Lowering<'reshape'> = (node, emission) => {
  const pick = emission.plan.picks.get(node);
  if (pick !== undefined) return [gatherOne(pick, node.outputs[0].type, emission)];
  const x = node.inputs[0];
  if (emission.allowed.rows && !emission.isStored(x)) return [emission.shapes.as(x, node.attributes.shape)];
  const form = emission.form(x);
  const { name, shape } = form?.kind === 'reshaped' ? form : { name: emission.use(x), shape: x.type.shape };
  return [reshaped(emission, name, { dtype: x.type.dtype, shape }, node.attributes.shape)];
};

function gatherOne({ from, axis, index }: Pick, type: TensorType, emission: Emission): string {
  const inputs = [emission.use(from), emission.i64Scalar(index)];
  return emission.node('Gather', inputs, type, axis === 0 ? {} : { axis: int(axis) });
}

const transpose: Lowering<'transpose'> = (node, emission) => [
  transposed(emission.use(node.inputs[0]), node, node.outputs[0].type, emission),
];

/** Transposes a tensor by the axes of a transpose node; the result has this type. */
export function transposed(
  name: string,
  { attributes }: NodeOf<'transpose'>,
  type: TensorType,
  emission: Emission,
): string {
  return emission.node('Transpose', [name], type, { perm: ints(attributes.perm) });
}

/** Expand broadcasts in both directions, so an axis that already has its size is written as 1. */
const broadcast: Lowering<'broadcast'> = (node, emission) => {
  const x = node.inputs[0];
  const { shape } = node.attributes;
  const added = shape.length - x.type.shape.length;
  const target = shape.map((size, axis) => {
    const own = x.type.shape[axis - added];
    return own !== undefined && sameDim(emission.facts, own, size) ? one : size;
  });
  if (sameShape(emission.facts, x.type.shape, shape)) return [emission.use(x)];
  return [emission.node('Expand', [emission.use(x), emission.dims.vector(target)], node.outputs[0].type)];
};

const concat: Lowering<'concat'> = (node, emission) => {
  const inRows = concatOfRows(node, emission);
  if (inRows !== undefined) return inRows;
  const names = node.inputs.map((input) => emission.use(input));
  return [emission.node('Concat', names, node.outputs[0].type, { axis: int(node.attributes.axis) })];
};

const slice: Lowering<'slice'> = (node, emission) => {
  const partition = emission.plan.splits.get(node);
  if (partition !== undefined) {
    split(partition, emission);
    return [emission.nameOf(node.outputs[0])];
  }
  const x = node.inputs[0];
  const { start, stop, step } = node.attributes;
  const { facts } = emission;
  const cut = x.type.shape.flatMap((size, axis) =>
    known(facts, start[axis]!) === 0 && sameDim(facts, stop[axis]!, size) && step[axis] === 1 ? [] : [axis],
  );
  if (cut.length === 0) return [emission.use(x)];
  const bound = (at: Dim, axis: number, end: Dim | undefined): Dim => {
    if (known(facts, at) !== undefined) return at;
    const size = x.type.shape[axis]!;
    if (end !== undefined && sameDim(facts, at, size)) return end;
    // Negative bounds count from the end, so they do not depend on the size.
    const fromEnd = known(facts, sub(at, size));
    return fromEnd !== undefined && fromEnd < 0 ? dimOf(fromEnd) : at;
  };
  const bounds = {
    start: cut.map((axis) => bound(start[axis]!, axis, undefined)),
    stop: cut.map((axis) => bound(stop[axis]!, axis, toTheEnd)),
    step: cut.map((axis) => step[axis]!),
  };
  return [sliced(emission, emission.use(x), node.outputs[0].type, { ...bounds, axes: cut })];
};

/** Emits a Slice along some axes; the result has this type. */
export function sliced(
  emission: Emission,
  x: string,
  type: TensorType,
  at: { start: readonly Dim[]; stop: readonly Dim[]; axes: readonly number[]; step?: readonly number[] },
): string {
  const inputs = [x, emission.dims.vector(at.start), emission.dims.vector(at.stop), emission.i64(at.axes)];
  if (at.step?.some((by) => by !== 1)) inputs.push(emission.i64(at.step));
  return emission.node('Slice', inputs, type);
}

function split(partition: Partition, emission: Emission): void {
  if (splitOfRows(partition, emission)) return;
  const { from, axis, parts, sizes } = partition;
  const inputs = [emission.use(from)];
  if (sizes !== undefined) inputs.push(emission.i64(sizes));
  const attributes = { axis: int(axis), ...(sizes === undefined ? { num_outputs: int(parts.length) } : {}) };
  const types = parts.map((part) => part.outputs[0].type);
  const names = emission.results('Split', inputs, types, attributes);
  for (const [i, part] of parts.entries()) emission.name(part.outputs[0], names[i]!);
}

/**
 * onnxruntime adds the widths of a Pad before a Conv or MaxPool to the padding of the window, even if the Pad applies
 * to the kernel, or if a MaxPool would then see the lowest number in place of zeros (1.30). It does not change a Pad
 * that names its axes.
 */
const pad: Lowering<'pad'> = (node, emission) => {
  const x = node.inputs[0];
  const { low, high, value } = node.attributes;
  const widths = [...low, ...high];
  if (widths.every((width) => known(emission.facts, width) === 0)) return [emission.use(x)];
  if (x.type.dtype === 'bf16') return [padByConcat(emission, emission.use(x), x.type, node.attributes)];
  const isKept = emission.plan.pads.has(node);
  const inputs = [emission.use(x), emission.dims.vector(widths)];
  if (value !== 0 || isKept) inputs.push(emission.number(value, x.type.dtype));
  if (isKept) inputs.push(emission.i64(low.map((_, axis) => axis)));
  return [emission.node('Pad', inputs, node.outputs[0].type)];
};

/** onnxruntime itself rejects rows beyond the last one. */
const gather: Lowering<'gather'> = (node, emission) => {
  const inputs = [emission.use(node.inputs[0]), emission.rowIndex(indexUseIn(node))];
  return [emission.node('Gather', inputs, node.outputs[0].type)];
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
