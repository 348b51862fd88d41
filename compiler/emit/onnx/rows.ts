import type { Node, NodeOf, Value } from '../../ir/graph.ts';
import { sameShape } from '../../ir/shapes.ts';
import type { TensorType } from '../../ir/types.ts';
import type { Emission } from './emission.ts';
import type { Partition } from './fusions.ts';
import { int } from './model.ts';
import { smallerForms } from './operands.ts';
import { known } from './reshape-target.ts';

type Lowered = readonly (string | undefined)[];

/**
 * Emits an elementwise operator on matrices of rows if an operand was emitted so, and the others can be read so: they have
 * the same shape, or are numbers or vectors along the last axis. An operator that reads whole rows is elementwise in this
 * sense. Undefined if not.
 */
export function onRows(node: Node, emission: Emission, op: string, attributes = {}): Lowered | undefined {
  const { shapes, facts, allowed } = emission;
  const { dtype, shape } = node.outputs[0].type;
  if (!allowed.rows || !shapes.canFold(shape) || !node.inputs.some((input) => shapes.hasRows(input))) return undefined;
  const readers: (() => string)[] = [];
  for (const input of node.inputs) {
    const small = smallerForms(input, emission).find(
      (form) => form.shape.length === 0 || shapes.isAlongLast(form.shape, shape),
    );
    if (small !== undefined) readers.push(() => small.use());
    else if (sameShape(facts, input.type.shape, shape)) readers.push(() => shapes.rows(input));
    else return undefined;
  }
  const names = readers.map((read) => read());
  return named(
    node.outputs[0],
    emission.node(op, names, { dtype, shape: shapes.rowShape(shape) }, attributes),
    emission,
  );
}

/** Emits the product of a tensor of at least three axes and a matrix as a product of two matrices. */
export function matmulOfRows(node: Node, emission: Emission): Lowered | undefined {
  const { shapes, allowed } = emission;
  const [x, weight] = node.inputs as readonly [Value, Value];
  const { dtype, shape } = node.outputs[0].type;
  if (!allowed.rows || weight.type.shape.length !== 2 || !shapes.canFold(x.type.shape)) return undefined;
  // With three axes, the product is as good as it is, unless a sum follows: onnxruntime makes a Gemm of matrices of the two.
  if (x.type.shape.length === 3 && !shapes.hasRows(x) && emission.plan.bare.has(node)) return undefined;
  const type: TensorType = { dtype, shape: shapes.rowShape(shape) };
  return named(node.outputs[0], emission.node('MatMul', [shapes.rows(x), emission.use(weight)], type), emission);
}

/** Joins tensors as matrices of rows if one was emitted so, and if only axes of size 1 precede the one along which they are joined. */
export function concatOfRows(node: NodeOf<'concat'>, emission: Emission): Lowered | undefined {
  const [value] = node.outputs;
  const { dtype, shape } = value.type;
  const { shapes } = emission;
  if (!isJoinOfRows(value, node.attributes.axis, emission)) return undefined;
  if (!node.inputs.every(({ type }) => shapes.canFold(type.shape))) return undefined;
  if (!node.inputs.some((input) => shapes.hasRows(input))) return undefined;
  const type: TensorType = { dtype, shape: shapes.rowShape(shape) };
  const names = node.inputs.map((input) => shapes.rows(input));
  return named(value, emission.node('Concat', names, type, { axis: int(0) }), emission);
}

/** Splits a tensor that was emitted as a matrix of rows, under the condition of `concatOfRows`. Whether it did. */
export function splitOfRows({ from, axis, parts, sizes }: Partition, emission: Emission): boolean {
  const { shapes, facts } = emission;
  if (!isJoinOfRows(from, axis, emission) || !shapes.hasRows(from)) return false;
  const rows = parts.map((part) => shapes.rowShape(part.outputs[0].type.shape));
  const counts = rows.map(([count]) => known(facts, count));
  if (sizes !== undefined && counts.some((count) => count === undefined)) return false;
  const inputs = [shapes.rows(from)];
  if (sizes !== undefined) inputs.push(emission.i64(counts as number[]));
  const types = rows.map((shape): TensorType => ({ dtype: from.type.dtype, shape }));
  const attributes = { axis: int(0), ...(sizes === undefined ? { num_outputs: int(parts.length) } : {}) };
  const names = emission.results('Split', inputs, types, attributes);
  for (const [i, part] of parts.entries()) named(part.outputs[0], names[i]!, emission);
  return true;
}

function isJoinOfRows({ type: { shape } }: Value, axis: number, { shapes, facts, allowed }: Emission): boolean {
  const precede = shape.slice(0, axis);
  return (
    allowed.rows && axis < shape.length - 1 && shapes.canFold(shape) && precede.every((dim) => known(facts, dim) === 1)
  );
}

function named(value: Value, name: string, emission: Emission): Lowered {
  emission.nameForm(value, { kind: 'reshaped', name, shape: emission.shapes.rowShape(value.type.shape) });
  return [undefined];
}
