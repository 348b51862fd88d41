import type { Node, Value } from '../../ir/graph.ts';
import { sameShape } from '../../ir/shapes.ts';
import type { TensorType } from '../../ir/types.ts';
import type { Emission } from './emission.ts';
import { smallerForms } from './operands.ts';

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

function named(value: Value, name: string, emission: Emission): Lowered {
  emission.nameForm(value, { kind: 'reshaped', name, shape: emission.shapes.rowShape(value.type.shape) });
  return [undefined];
}
