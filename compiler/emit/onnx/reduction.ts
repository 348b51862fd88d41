import { constant, type Dim, one } from '../../dims/dim.ts';
import type { NodeOf } from '../../ir/graph.ts';
import type { Emission } from './emission.ts';
import type { Lowering } from './lowering.ts';
import { sumInSteps } from './middle-sums.ts';
import { int } from './model.ts';
import { known } from './reshape-target.ts';
import { atOnce, largestDivisor } from './sum-steps.ts';

type Reduction = NodeOf<'sum' | 'reduce_max' | 'mean'>;

/** Reduces `axes` with an ONNX reduction. */
export const reduction =
  (op: string) =>
  (node: Reduction, emission: Emission): string[] => {
    const { axes, keep } = node.attributes;
    const inputs = [emission.use(node.inputs[0]), emission.i64(axes)];
    return [emission.node(op, inputs, node.outputs[0].type, keep ? {} : { keepdims: int(0) })];
  };

/**
 * Omits the axes if each of the other axes has one element, which reduces all axes. onnxruntime's
 * `symbolic_shape_infer.py`, which runs before a quantisation, does not read the axes of ReduceMax (1.32).
 */
export const maximum: Lowering<'reduce_max'> = (node, emission) => {
  const { axes, keep } = node.attributes;
  const x = node.inputs[0];
  const isWhole = x.type.shape.every((size, axis) => axes.includes(axis) || known(emission.facts, size) === 1);
  if (!isWhole || !(keep || axes.length === x.type.shape.length)) return reduction('ReduceMax')(node, emission);
  return [emission.node('ReduceMax', [emission.use(x)], node.outputs[0].type, keep ? {} : { keepdims: int(0) })];
};

/**
 * Computes a sum or mean in stages. onnxruntime's CPU kernels add the elements of a row sequentially in float32 (1.30):
 * the sum of 7,372,800 pixels of 0.9, as in a weighted loss, is wrong by 0.7%. Summing rows of at most 512 elements and
 * then the partial sums is accurate to the last digits, and still takes one pass over the elements.
 */
export const staged =
  (op: 'ReduceSum' | 'ReduceMean') =>
  (node: NodeOf<'sum' | 'mean'>, emission: Emission): readonly (string | undefined)[] => {
    const middle = emission.allowed.middleSums ? sumInSteps(node, emission) : undefined;
    if (middle !== undefined) return middle;
    const { axes, keep } = node.attributes;
    const { dtype, shape } = node.inputs[0].type;
    const last = shape.length - 1;
    const sizes = shape.map((size) => known(emission.facts, size));
    const many = axes.reduce<number>((n, axis) => n * (sizes[axis] ?? Number.POSITIVE_INFINITY), 1);
    // If the last axis is not reduced, the kernel adds whole rows to each other, which is fast without stages.
    const isExact = emission.allowed.wholeSums || many <= atOnce || !axes.includes(last);
    if (dtype !== 'f32' || isExact) return reduction(op)(node, emission);
    let name = emission.use(node.inputs[0]);
    const partly: Dim[] = [...shape];
    for (let left = sizes[last]; left !== undefined && left > atOnce; ) {
      const part = largestDivisor(left, atOnce);
      if (part === 1) break;
      left /= part;
      partly[last] = constant(left);
      const target = emission.i64([...Array<number>(last).fill(0), left, part]);
      const rows = emission.node('Reshape', [name, target], { dtype, shape: [...partly, constant(part)] });
      name = emission.node(op, [rows, emission.i64([last + 1])], { dtype, shape: [...partly] }, { keepdims: int(0) });
    }
    // An unknown size may be large; an axis of size 1 needs no reduction.
    const others = axes.filter((axis) => sizes[axis] !== 1).sort((a, b) => a - b);
    for (const axis of others.slice(1).reverse()) {
      partly[axis] = one;
      name = emission.node(op, [name, emission.i64([axis])], { dtype, shape: [...partly] });
    }
    return [emission.node(op, [name, emission.i64(axes)], node.outputs[0].type, keep ? {} : { keepdims: int(0) })];
  };
