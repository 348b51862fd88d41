import type { MapTransform } from '../../compiler/elaborate/weights/weights-map.ts';
import { permuteAxes } from './permute-axes.ts';

/** Row-major values with a shape. */
export interface ShapedValues {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Maximum number of elements of a resized tensor: 1 GiB of float32. */
const mostElements = 2 ** 28;

/** What a transform depends on beside its tensors. */
export interface TransformGoal {
  /** Number of tensors that a split gives. */
  readonly parts: number;
  /** Shape of the weight in the model. */
  readonly wanted: readonly number[];
}

/** Returns the shapes after a transform, or why it is not applicable. */
export function transformedShapes(
  shapes: readonly (readonly number[])[],
  transform: MapTransform,
  { parts, wanted }: TransformGoal,
): readonly (readonly number[])[] | string {
  if (transform.kind === 'concat') {
    const [first, ...rest] = shapes;
    const { axis } = transform;
    if (axis >= first!.length) return `${shown(first!)} has no axis ${axis} to be joined along`;
    const others = (shape: readonly number[]) => shape.filter((_, i) => i !== axis).join();
    const odd = rest.find((shape) => shape.length !== first!.length || others(shape) !== others(first!));
    if (odd) return `${shown(first!)} and ${shown(odd)} cannot be joined along axis ${axis}`;
    return [
      first!.with(
        axis,
        shapes.reduce((sum, shape) => sum + shape[axis]!, 0),
      ),
    ];
  }
  if (transform.kind === 'split') {
    const [shape] = shapes;
    const size = shape![transform.axis];
    if (size === undefined) return `${shown(shape!)} has no axis ${transform.axis} to be split along`;
    const sizes = splitSizes(transform, size, parts);
    if (sizes.reduce((a, b) => a + b, 0) !== size || sizes.some((n) => !Number.isInteger(n)))
      return `axis ${transform.axis} of ${shown(shape!)} cannot be split into ${transform.sizes ? sizes.join(' + ') : `${parts} equal parts`}`;
    return sizes.map((n) => shape!.with(transform.axis, n));
  }
  const results = shapes.map((shape) => reshaped(shape, transform, wanted));
  return results.find((one) => typeof one === 'string') ?? (results as number[][]);
}

function reshaped(
  shape: readonly number[],
  transform: Exclude<MapTransform, { kind: 'concat' | 'split' }>,
  goal: readonly number[],
): readonly number[] | string {
  if (transform.kind === 'resize_square') {
    const [rows = 0, ...rest] = shape;
    const [size = 0, ...others] = goal;
    const squares = [rows, size].every((n) => n > 0 && Number.isInteger(Math.sqrt(n)));
    // What does not fit is reported with both shapes.
    return squares && rest.join() === others.join() && count(goal) <= mostElements ? goal : shape;
  }
  if (transform.kind === 'transpose') {
    const { perm } = transform;
    return perm.length === shape.length
      ? perm.map((axis) => shape[axis]!)
      : `${shown(shape)} has ${shape.length} axes and [${perm.join(', ')}] ${perm.length}`;
  }
  const { kind, shape: wanted } = transform;
  if (kind === 'reshape')
    return count(wanted) === count(shape) ? wanted : `${shown(shape)} cannot be reshaped to ${shown(wanted)}`;
  if (wanted.length !== shape.length || wanted.some((n, i) => n !== shape[i] && (n === 0 || shape[i] === 0)))
    return `${shown(shape)} cannot be resized to ${shown(wanted)}`;
  return count(wanted) <= mostElements ? wanted : `${shown(wanted)} has more than ${mostElements} elements`;
}

/** Applies a transform to tensors whose shapes allow it. */
export function transformed(
  tensors: readonly ShapedValues[],
  transform: MapTransform,
  { parts, wanted }: TransformGoal,
): readonly ShapedValues[] {
  switch (transform.kind) {
    case 'concat':
      return [joined(tensors, transform.axis)];
    case 'split':
      return taken(tensors[0]!, transform.axis, splitSizes(transform, tensors[0]!.shape[transform.axis]!, parts));
    case 'transpose':
      return tensors.map(({ shape, data }) => ({
        shape: transform.perm.map((axis) => shape[axis]!),
        data: permuteAxes(data, shape, transform.perm),
      }));
    case 'reshape':
      return tensors.map(({ data }) => ({ shape: transform.shape, data }));
    case 'resize':
      return tensors.map((tensor) => resized(tensor, transform.shape));
    case 'resize_square':
      return tensors.map((tensor) => resizedSquare(tensor, wanted));
  }
}

function splitSizes({ sizes }: Extract<MapTransform, { kind: 'split' }>, size: number, parts: number) {
  return sizes ?? new Array<number>(parts).fill(size / parts);
}

function joined(tensors: readonly ShapedValues[], axis: number): ShapedValues {
  const rows = count(tensors[0]!.shape.slice(0, axis));
  const shape = tensors[0]!.shape.with(
    axis,
    tensors.reduce((sum, one) => sum + one.shape[axis]!, 0),
  );
  const data = new Float32Array(count(shape));
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (const one of tensors) {
      const length = one.data.length / rows;
      data.set(one.data.subarray(row * length, (row + 1) * length), at);
      at += length;
    }
  }
  return { shape, data };
}

function taken({ shape, data }: ShapedValues, axis: number, sizes: readonly number[]): ShapedValues[] {
  const rows = count(shape.slice(0, axis));
  const inner = count(shape.slice(axis + 1));
  let begin = 0;
  return sizes.map((size) => {
    const part = new Float32Array(rows * size * inner);
    for (let row = 0; row < rows; row++) {
      const from = (row * shape[axis]! + begin) * inner;
      part.set(data.subarray(from, from + size * inner), row * size * inner);
    }
    begin += size;
    return { shape: shape.with(axis, size), data: part };
  });
}

/**
 * Resizes by cubic interpolation along each axis whose size changes, with half-pixel centres and repeated edges. Over
 * two axes, this is PyTorch's `interpolate(mode="bicubic", align_corners=False)`, the usual way to resize position
 * embeddings and bias tables.
 */
function resized(tensor: ShapedValues, wanted: readonly number[]): ShapedValues {
  let { shape, data } = tensor;
  for (const [axis, size] of wanted.entries()) {
    const old = shape[axis]!;
    if (size === old) continue;
    const rows = count(shape.slice(0, axis));
    const inner = count(shape.slice(axis + 1));
    const out = new Float32Array(rows * size * inner);
    for (let i = 0; i < size; i++) {
      const place = ((i + 0.5) * old) / size - 0.5;
      const base = Math.floor(place);
      for (let tap = -1; tap <= 2; tap++) {
        const weight = cubic(Math.abs(place - (base + tap)));
        const from = Math.min(Math.max(base + tap, 0), old - 1);
        for (let row = 0; row < rows; row++) {
          const [to, source] = [(row * size + i) * inner, (row * old + from) * inner];
          for (let k = 0; k < inner; k++) out[to + k]! += weight * data[source + k]!;
        }
      }
    }
    [shape, data] = [shape.with(axis, size), out];
  }
  return { shape, data };
}

/** Resizes a table whose rows are the cells of a square, such as the biases of a window by offset. */
function resizedSquare({ shape, data }: ShapedValues, wanted: readonly number[]): ShapedValues {
  const [side, size] = [Math.sqrt(shape[0]!), Math.sqrt(wanted[0]!)];
  const rest = shape.slice(1);
  return { shape: wanted, data: resized({ shape: [side, side, ...rest], data }, [size, size, ...rest]).data };
}

/** Keys' cubic convolution kernel (1981) with a = -0.75, as in PyTorch. */
function cubic(x: number): number {
  const a = -0.75;
  return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}

function count(shape: readonly number[]): number {
  return shape.reduce((n, size) => n * size, 1);
}

function shown(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
