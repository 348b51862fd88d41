import type { Dim } from '../../../dims/dim.ts';
import type { Facts } from '../../../dims/facts.ts';
import { type SampledSum as Sum, sampledSum } from '../../../graphs/sampled-sum.ts';
import type { Graph, Node, Value } from '../../../ir/graph.ts';
import { sameDim, sameShape } from '../../../ir/shapes.ts';
import { elementCount, tensor } from '../../../ir/tensor-data.ts';
import type { TensorData } from '../../../ir/types.ts';
import { type GridPoints, gridPoints } from '../grid-points.ts';
import { knownShape } from '../reshape-target.ts';

/**
 * A weighted sum over samples of an image as a deformable convolution: its kernel has a tap for each sample, and its
 * result is an image of the queries.
 */
export interface Deformed {
  /** [batch, channels, height, width] */
  readonly image: Value;
  /** Planes of x and y: [batch, 2, taps, queries] or [batch, 2, taps·queries]. */
  readonly points: Value;
  /** [batch, 1, taps, queries] */
  readonly weights: Value;
  readonly form: DeformedForm;
}

/** The constants and attributes of the convolution. */
interface DeformedForm {
  readonly taps: number;
  /** The height and width of the result. */
  readonly plane: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly pads: readonly number[];
  /** [2·taps, height, width of the result]: what is added to y and x of each tap, relative to where the tap is without an offset. */
  readonly offsets: TensorData;
  /** [channels, channels, 1, taps]: each channel is the sum of its own taps. */
  readonly kernel: TensorData;
}

/**
 * The largest height and width of the result. Points are given relative to the position of a result, so they are rounded
 * as numbers of its size are: up to 256, to 1.5e-5 of a pixel.
 */
const largestSide = 256;

/** The largest number of channels: the product with the kernel takes channels² · taps multiplications for each query. */
const mostChannels = 64;

/** By the sum: all sums over samples of which nothing else reads a part. */
export function findSampledSums(graph: Graph, uses: ReadonlyMap<Value, number>, inner: Set<Node>) {
  const found = new Map<Node, Deformed>();
  const forms = new Map<TensorData | undefined, Map<string, DeformedForm>>();
  for (const node of graph.nodes) {
    const sum = sampledSum(node, graph.facts, (value) => uses.get(value) ?? 0);
    if (sum === undefined) continue;
    const [grid, sizes] = [gridOf(sum, graph.facts, uses), sizesOf(sum, graph.facts)];
    if (grid === undefined || sizes === undefined) continue;
    // Sums of the same sizes share their constants.
    const known = forms.get(grid.shift?.by) ?? new Map<string, DeformedForm>();
    const form = known.get(String(sizes)) ?? formOf(sum, grid, sizes);
    if (form === undefined) continue;
    forms.set(grid.shift?.by, known.set(String(sizes), form));
    const { sampled, samples, product, weights } = sum;
    found.set(node, { image: sampled.inputs[0], points: grid.points, weights, form });
    for (const one of [product, samples, sampled]) inner.add(one);
    if (grid.shift !== undefined) inner.add(grid.shift.addition);
  }
  return found;
}

/** Undefined if the points are no planes of x and y, which something else may read as rows. */
function gridOf({ sampled, samples }: Sum, facts: Facts, uses: ReadonlyMap<Value, number>): GridPoints | undefined {
  const found = gridPoints(sampled, facts, uses);
  const { node } = found.points;
  const isTurned =
    found.pair === 1 && found.shift === undefined && node.op === 'transpose' && node.attributes.perm.join() === '0,2,1';
  const grid: GridPoints = isTurned ? { points: node.inputs[0], pair: 2, shift: undefined } : found;
  const [batch, , taps, queries] = samples.outputs[0].type.shape as [Dim, Dim, Dim, Dim];
  const { shape } = grid.points.type;
  if (grid.pair === 1 || !sameDim(facts, shape[0]!, batch)) return undefined;
  return grid.pair === 2 || sameShape(facts, shape.slice(2), [taps, queries]) ? grid : undefined;
}

/** Channels, height and width of the image, taps, queries. */
type Sizes = [number, number, number, number, number];

function sizesOf({ sampled, weights }: Sum, facts: Facts): Sizes | undefined {
  const sizes = knownShape(facts, [...sampled.inputs[0].type.shape.slice(1), ...weights.type.shape.slice(2)]);
  return sizes as Sizes | undefined;
}

/** Undefined if a size is too large. */
function formOf(
  { sampled }: Sum,
  grid: GridPoints,
  [channels, height, width, taps, queries]: Sizes,
): DeformedForm | undefined {
  const plane = sidesOf(queries);
  if (plane === undefined || channels > mostChannels) return undefined;
  const shift = shiftOf(grid, queries);
  if (shift === undefined) return undefined;
  const down = steps(height, plane[0]);
  const across = steps(width - taps + 1, plane[1]);
  const offsets = new Float64Array(2 * taps * queries);
  for (let tap = 0; tap < taps; tap++)
    for (let query = 0; query < queries; query++) {
      const [row, column] = [Math.floor(query / plane[1]), query % plane[1]];
      const at = 2 * tap * queries + query;
      offsets[at] = shift(1, tap, query) - row * down.stride;
      offsets[at + queries] = shift(0, tap, query) - column * across.stride - tap;
    }
  const kernel = new Float64Array(channels * channels * taps);
  for (let channel = 0; channel < channels; channel++) {
    const start = channel * (channels + 1) * taps;
    kernel.fill(1, start, start + taps);
  }
  const { dtype } = sampled.inputs[0].type;
  return {
    ...{ taps, plane, strides: [down.stride, across.stride], pads: [0, 0, down.end, across.end] },
    offsets: tensor(dtype, [2 * taps, ...plane], offsets),
    kernel: tensor(dtype, [channels, channels, 1, taps], kernel),
  };
}

/** Returns the stride and the padding at the end with which a window moves to so many places in a length. */
function steps(length: number, places: number): { readonly stride: number; readonly end: number } {
  const stride = places === 1 ? Math.max(1, length) : Math.max(1, Math.ceil((length - 1) / (places - 1)));
  return { stride, end: Math.max(0, stride * (places - 1) + 1 - length) };
}

/** Returns what is added to x (0) or y (1) of a point; undefined if it differs between images. */
function shiftOf({ pair, shift }: GridPoints, queries: number) {
  if (shift === undefined) return () => 0;
  const { shape, data } = shift.by;
  if (elementCount(shape.slice(0, -pair)) !== 1) return undefined;
  const [rows, columns] = pair === 3 ? [shape.at(-2)!, shape.at(-1)!] : [1, shape.at(-1)!];
  return (axis: number, tap: number, query: number): number => {
    const column = pair === 3 || columns === 1 ? query : tap * queries + query;
    return data[(axis * rows + (tap % rows)) * columns + (column % columns)]!;
  };
}

/** Returns the most nearly equal sides of a rectangle of this area, the smaller one first. */
function sidesOf(area: number): readonly [number, number] | undefined {
  for (let side = Math.floor(Math.sqrt(area)); side >= 1 && area / side <= largestSide; side--)
    if (area % side === 0) return [side, area / side];
  return undefined;
}
