import { constant } from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import type { Node, NodeOf, Value } from '../../ir/graph.ts';
import { sameDim } from '../../ir/shapes.ts';
import type { TensorData } from '../../ir/types.ts';
import { knownShape } from './reshape-target.ts';

/** The points of a grid_sample before any rearrangement. */
export interface GridPoints {
  readonly points: Value;
  /** The axis of x and y in `points`, counted from the end. */
  readonly pair: 1 | 2 | 3;
  /** A constant that is added to the points, and the addition, which has no other reader. */
  readonly shift: { readonly by: TensorData; readonly addition: Node } | undefined;
}

/**
 * Finds the points of a grid_sample. They may be rows [B, h, w, 2], planes [B, 2, h, w], or either with one axis for
 * all points.
 */
export function gridPoints(node: NodeOf<'grid_sample'>, facts: Facts, uses: ReadonlyMap<Value, number>): GridPoints {
  const image = node.inputs[0];
  const { points, pair, alone } = arranged(node.inputs[1], facts, uses);
  const addition = points.node;
  const unshifted = { points, pair, shift: undefined };
  if (addition.op !== 'add' || !alone || knownShape(facts, image.type.shape.slice(2)) === undefined) return unshifted;
  const [a, b] = [addition.inputs[0], addition.inputs[1]];
  for (const [by, moved] of [
    [a, b],
    [b, a],
  ] as const)
    if (by.node.op === 'constant' && isPair(facts, by, pair) && isPair(facts, moved, pair))
      return { points: moved, pair, shift: { by: by.node.attributes.tensor, addition } };
  return unshifted;
}

/** Looks through rearrangements of the points; `alone` is true if only this grid_sample reads them. */
function arranged(flat: Value, facts: Facts, uses: ReadonlyMap<Value, number>) {
  const sole = (value: Value) => uses.get(value) === 1;
  const rows = beforeReshape(flat, facts, 1);
  if (rows !== undefined) return { points: rows, pair: 1, alone: sole(flat) && sole(rows) } as const;
  const { node } = flat;
  const planar = node.op === 'transpose' && node.attributes.perm.join() === '0,2,1' && sole(flat);
  if (!planar) return { points: flat, pair: 1, alone: sole(flat) } as const;
  const columns = node.inputs[0];
  const planes = beforeReshape(columns, facts, 3);
  if (planes === undefined) return { points: columns, pair: 2, alone: sole(columns) } as const;
  return { points: planes, pair: 3, alone: sole(columns) && sole(planes) } as const;
}

/** Returns the [B, h, w, 2] or [B, 2, h, w] value, if this is a reshape of it that merges h and w. */
function beforeReshape(value: Value, facts: Facts, pair: 1 | 3): Value | undefined {
  if (value.node.op !== 'reshape') return undefined;
  const from = value.node.inputs[0];
  const joined = from.type.shape.length === 4 && isPair(facts, from, pair) && isPair(facts, value, pair === 1 ? 1 : 2);
  return joined && sameDim(facts, from.type.shape[0]!, value.type.shape[0]!) ? from : undefined;
}

function isPair(facts: Facts, { type: { shape } }: Value, pair: 1 | 2 | 3): boolean {
  const size = shape.at(-pair);
  return size !== undefined && sameDim(facts, size, constant(2));
}
