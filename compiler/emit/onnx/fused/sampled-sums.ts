import { constant, type Dim } from '../../../dims/dim.ts';
import type { Facts } from '../../../dims/facts.ts';
import type { Graph, Node, NodeOf, Value } from '../../../ir/graph.ts';
import { sameDim, sameShape } from '../../../ir/shapes.ts';
import { elementCount, tensor } from '../../../ir/tensor-data.ts';
import type { TensorData } from '../../../ir/types.ts';
import type { Emission } from '../emission.ts';
import { type GridPoints, gridPoints } from '../grid-points.ts';
import { int, ints } from '../model.ts';
import { knownShape } from '../reshape-target.ts';

/**
 * A weighted sum over samples of an image, as in deformable attention: y[b, c, q] = Σ_p weights[b, 0, p, q] ·
 * image[b, c] at points[b, :, p, q]. A deformable convolution computes it whose kernel has a tap for each p, and whose
 * result is an image of the queries.
 */
export interface SampledSum {
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
  const found = new Map<Node, SampledSum>();
  const forms = new Map<TensorData | undefined, Map<string, DeformedForm>>();
  for (const node of graph.nodes) {
    if (node.op !== 'sum' || node.attributes.axes.join() !== '2') continue;
    const [product] = node.inputs;
    if (product.node.op !== 'mul' || uses.get(product) !== 1) continue;
    const [a, b] = product.node.inputs;
    const match = samplesOf(a, b, graph.facts, uses) ?? samplesOf(b, a, graph.facts, uses);
    if (match === undefined) continue;
    const { image, weights, grid, passed } = match;
    const sizes = sizesOf(match, graph.facts);
    if (sizes === undefined) continue;
    const by = grid.shift?.by;
    // Sums of the same sizes share their constants.
    const known = forms.get(by) ?? new Map<string, DeformedForm>();
    const form = known.get(String(sizes)) ?? formOf(match, sizes);
    if (form === undefined) continue;
    forms.set(by, known.set(String(sizes), form));
    found.set(node, { image, points: grid.points, weights, form });
    for (const one of [product.node, ...passed]) inner.add(one);
  }
  return found;
}

interface Match {
  readonly image: Value;
  readonly weights: Value;
  readonly grid: GridPoints;
  /** Nodes that become part of the convolution. */
  readonly passed: readonly Node[];
}

function samplesOf(samples: Value, weights: Value, facts: Facts, uses: ReadonlyMap<Value, number>): Match | undefined {
  const { node, type } = samples;
  if (node.op !== 'reshape' || uses.get(samples) !== 1) return undefined;
  const sampled = node.inputs[0];
  if (sampled.node.op !== 'grid_sample' || uses.get(sampled) !== 1) return undefined;
  const [image] = sampled.node.inputs;
  const [batch, channels, taps, queries] = type.shape as [Dim, Dim, Dim, Dim];
  if (type.shape.length !== 4 || !sameShape(facts, sampled.type.shape.slice(0, 2), [batch, channels])) return undefined;
  if (!sameShape(facts, weights.type.shape, [batch, constant(1), taps, queries])) return undefined;
  const grid = gridPoints(sampled.node, facts, uses);
  const { shape } = grid.points.type;
  if (grid.pair === 1 || !sameDim(facts, shape[0]!, batch)) return undefined;
  if (grid.pair === 3 && !sameShape(facts, shape.slice(2), [taps, queries])) return undefined;
  const added = grid.shift === undefined ? [] : [grid.shift.addition];
  return { image, weights, grid, passed: [node, sampled.node, ...added] };
}

/** Channels, height and width of the image, taps, queries. */
type Sizes = readonly [number, number, number, number, number];

function sizesOf({ image, weights }: Match, facts: Facts): Sizes | undefined {
  const sizes = knownShape(facts, [...image.type.shape.slice(1), ...weights.type.shape.slice(2)]);
  return sizes as unknown as Sizes | undefined;
}

/** Undefined if a size is too large. */
function formOf({ image, grid }: Match, [channels, height, width, taps, queries]: Sizes): DeformedForm | undefined {
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
  const { dtype } = image.type;
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

/** Emits the convolution. */
export function deformed(node: NodeOf<'sum'>, sum: SampledSum, emission: Emission): readonly undefined[] {
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
