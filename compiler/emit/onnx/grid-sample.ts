import { constant, type Dim, one } from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import type { Node, NodeOf, Value } from '../../ir/graph.ts';
import { sameDim } from '../../ir/shapes.ts';
import { elementCount, tensor } from '../../ir/tensor-data.ts';
import type { TensorData } from '../../ir/types.ts';
import type { Emission } from './emission.ts';
import { inputOf, type Lowering } from './lowering.ts';
import { int, ints, string } from './model.ts';
import { knownShape } from './reshape-target.ts';
import { reshaped } from './reshaped.ts';

/** The points of a grid_sample, seen through what only rearranges them. */
export interface GridPoints {
  readonly points: Value;
  /** Of `points`: the axis of x and y, counted from the end. */
  readonly pair: 1 | 2 | 3;
  /** A constant that is added to them, and the addition, which nothing else needs. */
  readonly shift: { readonly by: TensorData; readonly addition: Node } | undefined;
}

/** Points come as rows [B, h, w, 2], as planes [B, 2, h, w], and as either with one axis of points. */
export function gridPoints(node: NodeOf<'grid_sample'>, facts: Facts, uses: ReadonlyMap<Value, number>): GridPoints {
  const image = inputOf(node, 0);
  const { points, pair, alone } = arranged(inputOf(node, 1), facts, uses);
  const addition = points.node;
  const unshifted = { points, pair, shift: undefined };
  if (addition.op !== 'add' || !alone || knownShape(facts, image.type.shape.slice(2)) === undefined) return unshifted;
  const [a, b] = [inputOf(addition, 0), inputOf(addition, 1)];
  for (const [by, moved] of [
    [a, b],
    [b, a],
  ] as const)
    if (by.node.op === 'constant' && isPair(facts, by, pair) && isPair(facts, moved, pair))
      return { points: moved, pair, shift: { by: by.node.attributes.tensor, addition } };
  return unshifted;
}

/** `alone`: nothing but this grid_sample reads the points. */
function arranged(flat: Value, facts: Facts, uses: ReadonlyMap<Value, number>) {
  const sole = (value: Value) => uses.get(value) === 1;
  const rows = beforeReshape(flat, facts, 1);
  if (rows !== undefined) return { points: rows, pair: 1, alone: sole(flat) && sole(rows) } as const;
  const { node } = flat;
  const planar = node.op === 'transpose' && node.attributes.perm.join() === '0,2,1' && sole(flat);
  if (!planar) return { points: flat, pair: 1, alone: sole(flat) } as const;
  const columns = inputOf(node, 0);
  const planes = beforeReshape(columns, facts, 3);
  if (planes === undefined) return { points: columns, pair: 2, alone: sole(columns) } as const;
  return { points: planes, pair: 3, alone: sole(columns) && sole(planes) } as const;
}

/** The [B, h, w, 2] or [B, 2, h, w] of which this is the reshape that joins h and w. */
function beforeReshape(value: Value, facts: Facts, pair: 1 | 3): Value | undefined {
  if (value.node.op !== 'reshape') return undefined;
  const from = inputOf(value.node, 0);
  const joined = from.type.shape.length === 4 && isPair(facts, from, pair) && isPair(facts, value, pair === 1 ? 1 : 2);
  return joined && sameDim(facts, from.type.shape[0]!, value.type.shape[0]!) ? from : undefined;
}

function isPair(facts: Facts, { type: { shape } }: Value, pair: 1 | 2 | 3): boolean {
  const size = shape.at(-pair);
  return size !== undefined && sameDim(facts, size, constant(2));
}

/**
 * Pixels become GridSample's -1..1 by (2x + 1)/W - 1, which is exact with align_corners = 0: pixel
 * centres lie at half pixels there. Points without rows are one row.
 */
export const gridSample: Lowering<'grid_sample'> = (node, emission) => {
  const [x, flat] = [inputOf(node, 0), inputOf(node, 1)];
  const [batch, channels] = x.type.shape as [Dim, Dim];
  const given = emission.plan.grids.get(node) ?? { points: flat, pair: 1 as const, shift: undefined };
  const { scale, offset } = normalisation(emission, x, given);
  const { dtype, shape } = (given.shift?.addition.outputs[0] ?? given.points).type;
  const scaled = emission.node('Mul', [emission.use(given.points), scale], given.points.type);
  const normal = emission.node('Add', [scaled, offset], { dtype, shape });
  // The pair goes last.
  const pairAxis = shape.length - given.pair;
  const perm = [...shape.keys()].filter((axis) => axis !== pairAxis).concat(pairAxis);
  const arranged = { dtype, shape: perm.map((axis) => shape[axis]!) };
  const paired = given.pair === 1 ? normal : emission.node('Transpose', [normal], arranged, { perm: ints(perm) });
  const rows = arranged.shape.length === 4 ? arranged.shape : [batch, one, ...arranged.shape.slice(1)];
  const attributes = {
    // `bilinear` until opset 19.
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

/** 2/W, 2/H, and what is added after: 1/W - 1, 1/H - 1, and the shift, scaled too. */
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
