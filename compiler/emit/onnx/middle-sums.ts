import { constant, type Dim, one, product } from '../../dims/dim.ts';
import type { NodeOf } from '../../ir/graph.ts';
import type { TensorType } from '../../ir/types.ts';
import type { Emission } from './emission.ts';
import { int, ints } from './model.ts';
import { reshaped } from './reshaped.ts';
import { type AddedParts, type Step, type Sum, stepsOf } from './sum-steps.ts';

/** Emits the sum or mean in steps that have fast kernels; undefined if one reduction is as fast, or nothing is. */
export function sumInSteps(node: Sum, emission: Emission): readonly (string | undefined)[] | undefined {
  const { type } = node.inputs[0];
  const steps = stepsOf(node, emission.facts);
  if (steps === undefined) return undefined;
  let at: Summed = { name: emission.use(node.inputs[0]), type };
  let kept = type.shape;
  for (const step of steps) {
    const name = reshaped(emission, at.name, at.type, kept);
    at = summed(emission, node.op, { name, type: { dtype: type.dtype, shape: kept } }, step);
    const axes = step.kind === 'reduce' ? step.axes : [step.axis];
    kept = kept.map((size, axis) => (axes.includes(axis) ? one : size));
  }
  emission.nameForm(node.outputs[0], { kind: 'reshaped', name: at.name, shape: at.type.shape });
  return [undefined];
}

/** Emits an addition of a sum over a short axis. */
export function sumWithParts(node: NodeOf<'add'>, { x, axis, count, other }: AddedParts, emission: Emission): void {
  const parts = split(emission, { name: emission.use(x), type: x.type }, axis, count);
  const type: TensorType = { dtype: x.type.dtype, shape: x.type.shape.with(axis, one) };
  const name = emission.node('Sum', [emission.shapes.as(other, type.shape), ...parts], type);
  emission.nameForm(node.outputs[0], { kind: 'reshaped', name, shape: type.shape });
}

function split(emission: Emission, { name, type: { dtype, shape } }: Summed, axis: number, count: number): string[] {
  const ones = emission.i64(Array<number>(count).fill(1));
  const types = Array<TensorType>(count).fill({ dtype, shape: shape.with(axis, one) });
  return emission.results('Split', [name, ones], types, { axis: int(axis) });
}

/** A sum on the way, with size 1 on the axes that are reduced, or a reshape of it. */
interface Summed {
  readonly name: string;
  readonly type: TensorType;
}

function summed(emission: Emission, op: Sum['op'], x: Summed, step: Step): Summed {
  const { dtype, shape } = x.type;
  if (step.kind === 'reduce') {
    const type = { dtype, shape: shape.map((size, axis) => (step.axes.includes(axis) ? one : size)) };
    const reduction = op === 'sum' ? 'ReduceSum' : 'ReduceMean';
    return { name: emission.node(reduction, [x.name, emission.i64(step.axes)], type), type };
  }
  const type: TensorType = { dtype, shape: shape.with(step.axis, one) };
  const { count } = step;
  const scaled = (name: string, by: number, of: TensorType): string =>
    emission.node('Mul', [name, emission.number(by, dtype)], of);
  if (step.kind === 'parts') {
    const sum = emission.node('Sum', split(emission, x, step.axis, count), type);
    return { name: op === 'sum' ? sum : scaled(sum, 1 / count, type), type };
  }
  const [before, after] = [shape.slice(0, step.axis), shape.slice(step.axis + 1)];
  const [images, channels] = before.length === 2 ? (before as [Dim, Dim]) : [product(before), one];
  let [name, rows] = [x.name, count];
  let at = x.type;
  for (const window of step.windows) {
    const image = { dtype, shape: [images, channels, constant(rows), product(after)] };
    name = reshaped(emission, name, at, image.shape);
    rows /= window;
    at = { dtype, shape: image.shape.with(2, constant(rows)) };
    const size = ints([window, 1]);
    name = emission.node('AveragePool', [name], at, { kernel_shape: size, strides: size });
  }
  return { name: op === 'mean' ? name : scaled(name, count, at), type: at };
}
