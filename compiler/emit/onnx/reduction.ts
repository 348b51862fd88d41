import { constant, type Dim, one } from '../../dims/dim.ts';
import type { NodeOf } from '../../ir/graph.ts';
import type { Emission } from './emission.ts';
import type { Lowering } from './lowering.ts';
import { int } from './model.ts';
import { known } from './reshape-target.ts';

type Reduction = NodeOf<'sum' | 'reduce_max' | 'mean'>;

/** `axes` folded to one number each. */
export const reduction =
  (op: string) =>
  (node: Reduction, emission: Emission): string[] => {
    const { axes, keep } = node.attributes;
    const inputs = [emission.use(node.inputs[0]), emission.i64(axes)];
    return [emission.node(op, inputs, node.outputs[0].type, keep ? {} : { keepdims: int(0) })];
  };

/**
 * Without axes, where those that stay have one element: all are folded. onnxruntime's `symbolic_shape_infer.py`, which comes
 * before a quantisation, does not read the axes of ReduceMax (1.32).
 */
export const maximum: Lowering<'reduce_max'> = (node, emission) => {
  const { axes, keep } = node.attributes;
  const x = node.inputs[0];
  const isWhole = x.type.shape.every((size, axis) => axes.includes(axis) || known(emission.facts, size) === 1);
  if (!isWhole || !(keep || axes.length === x.type.shape.length)) return reduction('ReduceMax')(node, emission);
  return [emission.node('ReduceMax', [emission.use(x)], node.outputs[0].type, keep ? {} : { keepdims: int(0) })];
};

/** So many float32 numbers are added one after the other without harm. */
const atOnce = 512;

/**
 * A sum or mean in stages. onnxruntime's CPU kernels add the elements of a row one after the other in float32 (1.30): the
 * sum of 7,372,800 pixels that are 0.9, as a weighted loss has them, comes out wrong by 0.7%. Rows of at most 512, then
 * what they came to, are right to the last digits, and cost one pass over the numbers all the same.
 */
export const staged =
  (op: 'ReduceSum' | 'ReduceMean') =>
  (node: Reduction, emission: Emission): string[] => {
    const { axes, keep } = node.attributes;
    const { dtype, shape } = node.inputs[0].type;
    const last = shape.length - 1;
    const sizes = shape.map((size) => known(emission.facts, size));
    const many = axes.reduce<number>((n, axis) => n * (sizes[axis] ?? Number.POSITIVE_INFINITY), 1);
    // Over other axes than the last, rows are added to rows: there a row's neighbours keep the kernel busy.
    if (dtype !== 'f32' || many <= atOnce || !axes.includes(last)) return reduction(op)(node, emission);
    let name = emission.use(node.inputs[0]);
    const partly: Dim[] = [...shape];
    for (let left = sizes[last]; left !== undefined && left > atOnce; ) {
      const part = divisor(left);
      if (part === 1) break;
      left /= part;
      partly[last] = constant(left);
      const target = emission.i64([...Array<number>(last).fill(0), left, part]);
      const rows = emission.node('Reshape', [name, target], { dtype, shape: [...partly, constant(part)] });
      name = emission.node(op, [rows, emission.i64([last + 1])], { dtype, shape: [...partly] }, { keepdims: int(0) });
    }
    // A size that is not known may be large; an axis of one element has nothing to add.
    const others = axes.filter((axis) => sizes[axis] !== 1).sort((a, b) => a - b);
    for (const axis of others.slice(1).reverse()) {
      partly[axis] = one;
      name = emission.node(op, [name, emission.i64([axis])], { dtype, shape: [...partly] });
    }
    return [emission.node(op, [name, emission.i64(axes)], node.outputs[0].type, keep ? {} : { keepdims: int(0) })];
  };

/** The largest divisor up to `atOnce`. */
function divisor(n: number): number {
  for (let d = Math.min(atOnce, n); d > 1; d--) if (n % d === 0) return d;
  return 1;
}
