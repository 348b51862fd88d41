import { asConstant, type Dim, print } from '../../dims/dim.ts';
import type { DType, TensorData } from '../../ir/types.ts';

export type Elements = TensorData['data'];

/**
 * Allocates storage for a kernel result: float64 for floats and i64 (exact to 2^53), int32 for i32, bytes for bool and
 * u8.
 */
export function allocate(dtype: DType, length: number): Float64Array | Int32Array | Uint8Array {
  switch (dtype) {
    case 'f32':
    case 'f16':
    case 'bf16':
    case 'i64':
      return new Float64Array(length);
    case 'i32':
      return new Int32Array(length);
    case 'bool':
    case 'u8':
      return new Uint8Array(length);
  }
}

export function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Row-major strides in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/**
 * Returns the offset of each element of `shape`, in row-major order, in a buffer with these strides. Together with
 * `places`, it is the only primitive that transpose, broadcast, slice, pad, concat and reductions use.
 */
export function offsets(shape: readonly number[], strides: readonly number[], start = 0): Int32Array {
  let result = Int32Array.of(start);
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue;
    const stride = strides[axis]!;
    const next = new Int32Array(result.length * size);
    let at = 0;
    for (let i = 0; i < result.length; i++) {
      let offset = result[i]!;
      for (let j = 0; j < size; j++) {
        next[at++] = offset;
        offset += stride;
      }
    }
    result = next;
  }
  return result;
}

/**
 * Returns the strides that read a tensor of shape `from` as the larger `to` by trailing alignment: 0 along repeated
 * axes.
 */
export function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const own = stridesOf(from);
  const missing = to.length - from.length;
  return to.map((_, axis) => (axis < missing || from[axis - missing] === 1 ? 0 : own[axis - missing]!));
}

export function broadcastSizes(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) =>
    shapes.reduce((size, shape) => {
      const own = shape[axis - (rank - shape.length)] ?? 1;
      return size === 1 ? own : size;
    }, 1),
  );
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** Positions in a buffer, in order: `run` consecutive elements from each of `starts`. */
export interface Places {
  readonly starts: Int32Array;
  readonly run: number;
}

/** Like `offsets`, but combines elements that are consecutive in the buffer into runs, which copy much faster. */
export function places(shape: readonly number[], strides: readonly number[], start = 0): Places {
  let run = 1;
  let axis = shape.length;
  while (axis > 0 && (shape[axis - 1] === 1 || strides[axis - 1] === run)) run *= shape[--axis]!;
  return { starts: offsets(shape.slice(0, axis), strides.slice(0, axis), start), run };
}

/** Returns the elements of `data` at the given places, in order. */
export function take(dtype: DType, data: Elements, { starts, run }: Places): Elements {
  const out = allocate(dtype, starts.length * run);
  if (run === 1) for (let i = 0; i < starts.length; i++) out[i] = data[starts[i]!]!;
  else for (const [i, start] of starts.entries()) out.set(data.subarray(start, start + run), i * run);
  return out;
}

/** Writes the elements of `data`, in order, to the given places of `out`. */
export function put(out: Elements, { starts, run }: Places, data: Elements): void {
  if (run === 1) for (let i = 0; i < starts.length; i++) out[starts[i]!] = data[i]!;
  else for (const [i, start] of starts.entries()) out.set(data.subarray(i * run, (i + 1) * run), start);
}

/** Copies `data` to the storage type of the dtype. */
export function copy(dtype: DType, data: Elements): Elements {
  const out = allocate(dtype, data.length);
  out.set(data);
  return out;
}

/** Returns the size of a dim of a kernel's attributes, which is constant at run time. Throws if it is not. */
export function sizeOf(dim: Dim): number {
  const size = asConstant(dim);
  if (size === undefined) throw new Error(`bug in crobc: a kernel needs the dim ${print(dim)} to be known`);
  return size;
}

export function input(inputs: readonly TensorData[], i: number): TensorData {
  const tensor = inputs[i];
  if (tensor === undefined) throw new Error(`bug in crobc: kernel input ${i} is missing`);
  return tensor;
}
