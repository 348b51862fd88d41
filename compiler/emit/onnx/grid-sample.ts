import { constant, type Dim, one } from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import type { DType, Node, NodeOf, TensorData, Value } from '../../ir/graph.ts';
import { sameDim } from '../../ir/shapes.ts';
import { tensor } from '../../ir/tensor-data.ts';
import type { Emission } from './emission.ts';
import { inputOf, type Lowering } from './lowering.ts';
import { int, string } from './model.ts';
import { knownShape } from './reshape-target.ts';
import { reshaped } from './reshaped.ts';

/** Points as GridSample takes them: [B, h, w, 2], or [B, P, 2] where no rows are known of them. */
export interface GridPoints {
  readonly points: Value;
  /** A constant to be added to them, and the addition that nothing else needs. */
  readonly shift: { readonly by: TensorData; readonly addition: Node } | undefined;
}

/** Looks through a reshape of rows of points, and through the addition of a constant of known size. */
export function gridPoints(node: NodeOf<'grid_sample'>, facts: Facts, uses: ReadonlyMap<Value, number>): GridPoints {
  const [image, flat] = [inputOf(node, 0), inputOf(node, 1)];
  const rows = flat.node.op === 'reshape' ? flat.node.inputs[0]! : flat;
  const inRows =
    rows.type.shape.length === 4 && isPair(facts, rows) && sameDim(facts, rows.type.shape[0]!, image.type.shape[0]!);
  const points = inRows ? rows : flat;
  const addition = points.node;
  const alone = uses.get(points) === 1 && uses.get(flat) === 1;
  if (addition.op !== 'add' || !alone || knownShape(facts, image.type.shape.slice(2)) === undefined)
    return { points, shift: undefined };
  for (const [by, moved] of [addition.inputs, [...addition.inputs].reverse()] as [Value, Value][])
    if (by.node.op === 'constant' && isPair(facts, by) && isPair(facts, moved))
      return { points: moved, shift: { by: by.node.attributes.tensor, addition } };
  return { points, shift: undefined };
}

function isPair(facts: Facts, { type: { shape } }: Value): boolean {
  const last = shape.at(-1);
  return last !== undefined && sameDim(facts, last, constant(2));
}

/**
 * Pixels become GridSample's -1..1 by (2x + 1)/W - 1, which is exact with align_corners = 0: pixel
 * centres lie at half pixels there. Points without rows are one row.
 */
export const gridSample: Lowering<'grid_sample'> = (node, emission) => {
  const [x, flat] = [inputOf(node, 0), inputOf(node, 1)];
  const [batch, channels, height, width] = x.type.shape as [Dim, Dim, Dim, Dim];
  const { points, shift } = emission.plan.grids.get(node) ?? { points: flat, shift: undefined };
  const shape = shift === undefined ? points.type.shape : shift.addition.outputs[0]!.type.shape;
  const { scale, offset } = normalisation(emission, x.type.dtype, height, width, shift?.by);
  const scaled = emission.node('Mul', [emission.use(points), scale]);
  const normal = emission.node('Add', [scaled, offset]);
  const rows = shape.length === 4 ? shape : [batch, one, ...shape.slice(1)];
  const attributes = {
    // `bilinear` until opset 19.
    mode: string(emission.opset < 20 ? 'bilinear' : 'linear'),
    padding_mode: string('zeros'),
    align_corners: int(0),
  };
  const name = emission.node('GridSample', [emission.use(x), reshaped(emission, normal, shape, rows)], attributes);
  emission.nameForm(node.outputs[0]!, { kind: 'reshaped', name, shape: [batch, channels, rows[1]!, rows[2]!] });
  return [undefined];
};

/** 2/W, 2/H, and what is added after: 1/W - 1, 1/H - 1, and the shift, scaled too. */
function normalisation(
  emission: Emission,
  dtype: DType,
  height: Dim,
  width: Dim,
  shift: TensorData | undefined,
): { scale: string; offset: string } {
  const sizes = knownShape(emission.facts, [width, height]);
  if (sizes !== undefined) {
    const scale = sizes.map((size) => 2 / size);
    const { shape, data } = shift ?? { shape: [2], data: [0, 0] };
    const offset = Array.from(data, (by, i) => (by * 2 + 1) / sizes[i % 2]! - 1);
    return { scale: emission.data(tensor(dtype, [2], scale)), offset: emission.data(tensor(dtype, shape, offset)) };
  }
  const size = emission.dims.vectorOf([width, height], dtype);
  const [unit, twice] = [emission.number(1, dtype), emission.number(2, dtype)];
  const offset = emission.shared('Sub', [emission.shared('Div', [unit, size]), unit]);
  return { scale: emission.shared('Div', [twice, size]), offset };
}
