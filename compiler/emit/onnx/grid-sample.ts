import { constant, type Dim, one } from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import { elementCount, tensor } from '../../ir/tensor-data.ts';
import type { Emission } from './emission.ts';
import type { GridPoints } from './grid-points.ts';
import type { Lowering } from './lowering.ts';
import { int, ints, string } from './model.ts';
import { knownShape } from './reshape-target.ts';
import { reshaped } from './reshaped.ts';

/**
 * Converts pixels x to the -1..1 range of GridSample by (2x + 1)/W - 1. With align_corners = 0 this is exact, because
 * pixel centres are at half pixels there. Points without rows become one row.
 */
export const gridSample: Lowering<'grid_sample'> = (node, emission) => {
  const [x, flat] = node.inputs;
  const [batch, channels] = x.type.shape as [Dim, Dim];
  const given = emission.plan.grids.get(node) ?? { points: flat, pair: 1 as const, shift: undefined };
  const { scale, offset } = normalisation(emission, x, given);
  const { dtype, shape } = (given.shift?.addition.outputs[0] ?? given.points).type;
  const scaled = emission.node('Mul', [emission.use(given.points), scale], given.points.type);
  const normal = emission.node('Add', [scaled, offset], { dtype, shape });
  // The axis of x and y becomes the last one.
  const pairAxis = shape.length - given.pair;
  const perm = [...shape.keys()].filter((axis) => axis !== pairAxis).concat(pairAxis);
  const arranged = { dtype, shape: perm.map((axis) => shape[axis]!) };
  const paired = given.pair === 1 ? normal : emission.node('Transpose', [normal], arranged, { perm: ints(perm) });
  const rows = arranged.shape.length === 4 ? arranged.shape : [batch, one, ...arranged.shape.slice(1)];
  const attributes = {
    // Named `bilinear` up to opset 19.
    mode: string(emission.opset < 20 ? 'bilinear' : 'linear'),
    padding_mode: string('zeros'),
    align_corners: int(0),
  };
  const inputs = [emission.use(x), reshaped(emission, paired, arranged, rows)];
  const sampled = [batch, channels, rows[1]!, rows[2]!];
  const name = emission.node('GridSample', inputs, { dtype: x.type.dtype, shape: sampled }, attributes);
  emission.nameForm(node.outputs[0], { kind: 'reshaped', name, shape: sampled });
  return [undefined];
};

/** Returns the scale (2/W, 2/H) and the offset: (1/W - 1, 1/H - 1) plus the scaled shift. */
function normalisation(emission: Emission, x: Value, { pair, shift }: GridPoints): { scale: string; offset: string } {
  const { dtype, shape: image } = x.type;
  const [width, height] = [image[3]!, image[2]!];
  const broadcast = [2, ...new Array<number>(pair - 1).fill(1)];
  const sizes = knownShape(emission.facts, [width, height]);
  if (sizes !== undefined) {
    const { shape, data } = shift?.by ?? { shape: broadcast, data: [0, 0] };
    const run = elementCount(shape.slice(shape.length - pair + 1));
    const scale = sizes.map((size) => 2 / size);
    const offset = Array.from(data, (by, i) => (by * 2 + 1) / sizes[Math.floor(i / run) % 2]! - 1);
    return {
      scale: emission.data(tensor(dtype, broadcast, scale)),
      offset: emission.data(tensor(dtype, shape, offset)),
    };
  }
  const pairs = emission.dims.vectorOf([width, height], dtype);
  const type = { dtype, shape: broadcast.map(constant) };
  const size = pair === 1 ? pairs : emission.shared('Reshape', [pairs, emission.i64(broadcast)], type);
  const [unit, twice] = [emission.number(1, dtype), emission.number(2, dtype)];
  const offset = emission.shared('Sub', [emission.shared('Div', [unit, size], type), unit], type);
  return { scale: emission.shared('Div', [twice, size], type), offset };
}
