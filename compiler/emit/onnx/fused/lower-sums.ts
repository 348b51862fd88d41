import { constant, type Dim } from '../../../dims/dim.ts';
import type { Node, NodeOf, Value } from '../../../ir/graph.ts';
import type { Emission } from '../emission.ts';
import { int, ints } from '../model.ts';
import { onRows } from '../rows.ts';
import type { Deformed } from './sampled-sums.ts';

/** Emits a Sum, in the shape in which the first operand was emitted. */
export function added(node: Node, operands: readonly Value[], emission: Emission): readonly (string | undefined)[] {
  const rows = onRows({ ...node, inputs: operands } as Node, emission, 'Sum');
  if (rows !== undefined) return rows;
  const [first] = operands as readonly [Value];
  emission.ensure(first);
  const form = emission.form(first);
  const { dtype, shape } = node.outputs[0].type;
  if (form?.kind !== 'reshaped')
    return [
      emission.node(
        'Sum',
        operands.map((one) => emission.use(one)),
        { dtype, shape },
      ),
    ];
  const names = operands.map((one) => emission.shapes.as(one, form.shape));
  const name = emission.node('Sum', names, { dtype, shape: form.shape });
  emission.nameForm(node.outputs[0], { kind: 'reshaped', name, shape: form.shape });
  return [undefined];
}

/** Emits a weighted sum over samples as a DeformConv. */
export function deformed(node: NodeOf<'sum'>, sum: Deformed, emission: Emission): readonly undefined[] {
  const { image, points, weights, form } = sum;
  const { taps, plane, strides, pads } = form;
  const { dtype, shape } = image.type;
  const [batch, channels] = shape as [Dim, Dim];
  const [rows, sides] = [constant(2 * taps), plane.map(constant)];
  // From all x and all y to y and x of each tap.
  const order = Int32Array.from({ length: 2 * taps }, (_, i) => (1 - (i % 2)) * taps + (i >> 1));
  const planes = { dtype, shape: [batch, rows, ...sides] };
  const given = [emission.shapes.as(points, planes.shape), emission.rowNumbers(order, [2 * taps])];
  const ordered = emission.node('Gather', given, planes, { axis: int(1) });
  const offsets = emission.node('Add', [ordered, emission.data(form.offsets)], planes);
  const weighing = emission.shapes.as(weights, [batch, constant(taps), ...sides]);
  const inputs = [emission.use(image), emission.data(form.kernel), offsets, '', weighing];
  const result = [batch, channels, ...sides];
  const attributes = { kernel_shape: ints([1, taps]), strides: ints(strides), pads: ints(pads) };
  const name = emission.node('DeformConv', inputs, { dtype, shape: result }, attributes);
  emission.nameForm(node.outputs[0], { kind: 'reshaped', name, shape: result });
  return [undefined];
}
