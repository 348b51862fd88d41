import type { BinaryName, CompareName, DType, Side, UnaryName } from '../program/tree.ts';

/** Elements in row-major order, i32 and bool as numbers, with their derivative along one direction where it is asked for. */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float64Array;
  readonly slope: Float64Array | undefined;
}

export const count = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

export function make(
  dtype: DType,
  shape: readonly number[],
  element: (i: number) => number,
  slope?: (i: number) => number,
): Tensor {
  const n = count(shape);
  const data = new Float64Array(n);
  for (let i = 0; i < n; i++) data[i] = element(i);
  if (!slope || dtype !== 'f32') return { dtype, shape, data, slope: undefined };
  const slopes = new Float64Array(n);
  for (let i = 0; i < n; i++) slopes[i] = slope(i);
  return { dtype, shape, data, slope: slopes };
}

export const scalar = (dtype: DType, value: number): Tensor => make(dtype, [], () => value);
const slopeOf = ({ slope }: Tensor, i: number): number => slope?.[i] ?? 0;
const steep = (...tensors: readonly Tensor[]): boolean => tensors.some(({ slope }) => slope);

/** The steps from an element to the next one along each axis. */
export function strides(shape: readonly number[]): number[] {
  const found = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) found[i] = found[i + 1]! * shape[i + 1]!;
  return found;
}

/** Calls `each` for every index within `shape`, in order. */
export function walk(shape: readonly number[], each: (index: readonly number[], i: number) => void): void {
  const index = new Array<number>(shape.length).fill(0);
  const n = count(shape);
  for (let i = 0; i < n; i++) {
    each(index, i);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = index[axis]! + 1;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
}

/** Each element of the result is that of `x` at the place that `from` names; undefined is `fill`. */
export function taken(
  x: Tensor,
  shape: readonly number[],
  from: (index: readonly number[]) => number | undefined,
  fill = 0,
): Tensor {
  const places: (number | undefined)[] = [];
  walk(shape, (index) => places.push(from(index)));
  const at = (i: number) => (places[i] === undefined ? fill : x.data[places[i]]!);
  return make(x.dtype, shape, at, x.slope && ((i) => (places[i] === undefined ? 0 : slopeOf(x, places[i]))));
}

function broadcastShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return sizes.find((n) => n !== 1) ?? 1;
  });
}

export function broadcast(x: Tensor, shape: readonly number[]): Tensor {
  if (x.shape.join() === shape.join()) return x;
  const steps = strides(x.shape);
  const lead = shape.length - x.shape.length;
  return taken(x, shape, (index) =>
    x.shape.reduce((at, n, axis) => at + (n === 1 ? 0 : index[axis + lead]! * steps[axis]!), 0),
  );
}

interface Curve {
  value(x: number): number;
  slope(x: number): number;
}

function erf(x: number): number {
  // Series near 0, a continued fraction far from it: to a few units of float64.
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a < 2.5) {
    let term = a;
    let sum = a;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
      if (n > 200) break;
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let f = 0;
  for (let k = 120; k > 0; k--) f = k / 2 / (a + f);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + f)));
}

const logistic = (x: number) => 1 / (1 + Math.exp(-x));
const tanhGelu = (x: number) => Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3));

const curves: Readonly<Record<UnaryName, Curve>> = {
  neg: { value: (x) => -x, slope: () => -1 },
  abs: { value: Math.abs, slope: Math.sign },
  exp: { value: Math.exp, slope: Math.exp },
  log: { value: Math.log, slope: (x) => 1 / x },
  sqrt: { value: Math.sqrt, slope: (x) => 0.5 / Math.sqrt(x) },
  sin: { value: Math.sin, slope: Math.cos },
  cos: { value: Math.cos, slope: (x) => -Math.sin(x) },
  tanh: { value: Math.tanh, slope: (x) => 1 - Math.tanh(x) ** 2 },
  erf: { value: erf, slope: (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) },
  sigmoid: { value: logistic, slope: (x) => logistic(x) * logistic(-x) },
  softplus: { value: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), slope: logistic },
  relu: { value: (x) => Math.max(x, 0), slope: (x) => (x > 0 ? 1 : 0) },
  gelu: {
    value: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
    slope: (x) => 0.5 * (1 + erf(x / Math.SQRT2)) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI),
  },
  gelu_tanh: {
    value: (x) => 0.5 * x * (1 + tanhGelu(x)),
    slope: (x) => {
      const t = tanhGelu(x);
      return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
    },
  },
  floor: { value: Math.floor, slope: () => 0 },
  stop_gradient: { value: (x) => x, slope: () => 0 },
  square: { value: (x) => x * x, slope: (x) => 2 * x },
};

export function unary(fn: UnaryName, x: Tensor): Tensor {
  const curve = curves[fn];
  const value = (i: number) => curve.value(x.data[i]!);
  return make(x.dtype, x.shape, value, x.slope && ((i) => curve.slope(x.data[i]!) * slopeOf(x, i)));
}

const remainder = (a: number, b: number) => a - b * Math.floor(a / b);
/** Equal operands get half each. */
const share = (a: number, b: number) => (a > b ? 1 : a < b ? 0 : 0.5);

const binaries: Readonly<
  Record<
    BinaryName,
    { value(a: number, b: number): number; slope(a: number, b: number, da: number, db: number): number }
  >
> = {
  add: { value: (a, b) => a + b, slope: (_a, _b, da, db) => da + db },
  sub: { value: (a, b) => a - b, slope: (_a, _b, da, db) => da - db },
  mul: { value: (a, b) => a * b, slope: (a, b, da, db) => da * b + a * db },
  div: { value: (a, b) => a / b, slope: (a, b, da, db) => da / b - (a * db) / (b * b) },
  max: { value: Math.max, slope: (a, b, da, db) => share(a, b) * da + share(b, a) * db },
  min: { value: Math.min, slope: (a, b, da, db) => share(b, a) * da + share(a, b) * db },
  mod: { value: remainder, slope: (_a, _b, da) => da },
  floordiv: { value: (a, b) => Math.floor(a / b), slope: () => 0 },
};

export function binary(fn: BinaryName, left: Tensor, right: Tensor): Tensor {
  const shape = broadcastShape([left.shape, right.shape]);
  const [a, b] = [broadcast(left, shape), broadcast(right, shape)];
  const { value, slope } = binaries[fn];
  return make(
    a.dtype,
    shape,
    (i) => value(a.data[i]!, b.data[i]!),
    steep(a, b) ? (i) => slope(a.data[i]!, b.data[i]!, slopeOf(a, i), slopeOf(b, i)) : undefined,
  );
}

const comparisons: Readonly<Record<CompareName, (a: number, b: number) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};

export function compare(fn: CompareName, left: Tensor, right: Tensor): Tensor {
  return logical(left, right, comparisons[fn]);
}

export function logical(left: Tensor, right: Tensor, holds: (a: number, b: number) => boolean): Tensor {
  const shape = broadcastShape([left.shape, right.shape]);
  const [a, b] = [broadcast(left, shape), broadcast(right, shape)];
  return make('bool', shape, (i) => Number(holds(a.data[i]!, b.data[i]!)));
}

export function select(condition: Tensor, left: Tensor, right: Tensor): Tensor {
  const shape = broadcastShape([condition.shape, left.shape, right.shape]);
  const [c, a, b] = [condition, left, right].map((x) => broadcast(x, shape)) as [Tensor, Tensor, Tensor];
  const from = (i: number) => (c.data[i] === 1 ? a : b);
  return make(a.dtype, shape, (i) => from(i).data[i]!, steep(a, b) ? (i) => slopeOf(from(i), i) : undefined);
}

export type Gathering = 'rearrange' | 'repeat' | 'sum' | 'mean' | 'amax' | 'einsum';

/** A pattern by its definition: for every assignment of indices to names, the product of the operands there is a term of the result there. */
export function pattern(
  how: Gathering,
  tensors: readonly Tensor[],
  left: readonly Side[],
  right: Side,
  sizes: ReadonlyMap<string, number>,
): Tensor {
  const names = [...new Set([...left.flat(2), ...right.flat()])];
  const extents = names.map((name) => sizes.get(name)!);
  // The step of each name in an operand or in the result.
  const stepsIn = (side: Side) => {
    const order = side.flat();
    return names.map((name) => {
      const at = order.indexOf(name);
      return at < 0 ? 0 : order.slice(at + 1).reduce((product, other) => product * sizes.get(other)!, 1);
    });
  };
  const steps = left.map(stepsIn);
  const out = stepsIn(right);
  const shape = right.map((axis) => axis.reduce((product, name) => product * sizes.get(name)!, 1));
  const n = count(shape);
  const [data, slope, hits] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  if (how === 'amax') data.fill(Number.NEGATIVE_INFINITY);
  const isSteep = steep(...tensors);
  const offsets = new Array<number>(tensors.length);
  walk(extents, (index) => {
    const place = (by: readonly number[]) => by.reduce((at, step, k) => at + step * index[k]!, 0);
    const to = place(out);
    for (let t = 0; t < tensors.length; t++) offsets[t] = place(steps[t]!);
    let term = 1;
    for (let t = 0; t < tensors.length; t++) term *= tensors[t]!.data[offsets[t]!]!;
    let change = 0;
    if (isSteep)
      for (let t = 0; t < tensors.length; t++) {
        let part = slopeOf(tensors[t]!, offsets[t]!);
        for (let other = 0; other < tensors.length; other++)
          if (other !== t) part *= tensors[other]!.data[offsets[other]!]!;
        change += part;
      }
    if (how === 'amax') {
      if (term > data[to]!) {
        data[to] = term;
        slope[to] = change;
        hits[to] = 1;
      } else if (term === data[to]) {
        slope[to]! += change;
        hits[to]! += 1;
      }
    } else {
      data[to]! += term;
      slope[to]! += change;
      hits[to]! += 1;
    }
  });
  if (how === 'mean')
    for (let i = 0; i < n; i++) {
      data[i]! /= hits[i]!;
      slope[i]! /= hits[i]!;
    }
  // The largest elements share evenly.
  if (how === 'amax') for (let i = 0; i < n; i++) slope[i]! /= hits[i]!;
  return { dtype: tensors[0]!.dtype, shape, data, slope: isSteep ? slope : undefined };
}

export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const first = tensors[0]!;
  const shape = first.shape.map((n, i) => (i === axis ? tensors.reduce((sum, x) => sum + x.shape[i]!, 0) : n));
  const data: number[] = [];
  const slope: number[] = [];
  walk(shape, (index) => {
    let at = index[axis]!;
    let k = 0;
    while (at >= tensors[k]!.shape[axis]!) at -= tensors[k++]!.shape[axis]!;
    const x = tensors[k]!;
    const steps = strides(x.shape);
    const place = index.reduce((sum, i, j) => sum + (j === axis ? at : i) * steps[j]!, 0);
    data.push(x.data[place]!);
    slope.push(slopeOf(x, place));
  });
  return make(first.dtype, shape, (i) => data[i]!, steep(...tensors) ? (i) => slope[i]! : undefined);
}

/** x with its axes at other places: `from` says where an element of the result comes from. */
export function moved(
  x: Tensor,
  shape: readonly number[],
  from: (index: readonly number[]) => readonly number[] | undefined,
  fill = 0,
): Tensor {
  const steps = strides(x.shape);
  return taken(x, shape, (index) => from(index)?.reduce((at, i, axis) => at + i * steps[axis]!, 0), fill);
}

export function softmax(x: Tensor, axis: number, log: boolean): Tensor {
  const names = x.shape.map((_, i) => [`n${i}`]);
  const kept = names.map((one, i) => (i === axis ? [] : one));
  const sizes = new Map(x.shape.map((n, i) => [`n${i}`, n]));
  const top = pattern('amax', [x], [names], kept, sizes);
  const shifted = binary('sub', x, { ...top, slope: undefined });
  const powers = unary('exp', shifted);
  const total = pattern('sum', [powers], [names], kept, sizes);
  return log ? binary('sub', shifted, unary('log', total)) : binary('div', powers, total);
}

export function layerNorm(x: Tensor, scale: Tensor, bias: Tensor, eps: number): Tensor {
  const names = x.shape.map((_, i) => [`n${i}`]);
  const kept = names.map((one, i) => (i === x.shape.length - 1 ? [] : one));
  const sizes = new Map(x.shape.map((n, i) => [`n${i}`, n]));
  const mean = (of: Tensor) => pattern('mean', [of], [names], kept, sizes);
  const d = binary('sub', x, mean(x));
  const deviation = unary('sqrt', binary('add', mean(unary('square', d)), scalar('f32', eps)));
  return binary('add', binary('mul', binary('div', d, deviation), scale), bias);
}

export function matmul(a: Tensor, b: Tensor): Tensor {
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(-1)!;
  const lead = broadcastShape([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  const left = broadcast(a, [...lead, m, k]);
  const right = broadcast(b, [...lead, k, n]);
  const product = (at: number, of: (p: number, q: number) => number) => {
    const [batch, row, column] = [Math.floor(at / (m * n)), Math.floor(at / n) % m, at % n];
    let sum = 0;
    for (let i = 0; i < k; i++) sum += of((batch * m + row) * k + i, (batch * k + i) * n + column);
    return sum;
  };
  return make(
    'f32',
    [...lead, m, n],
    (i) => product(i, (p, q) => left.data[p]! * right.data[q]!),
    steep(a, b)
      ? (i) => product(i, (p, q) => slopeOf(left, p) * right.data[q]! + left.data[p]! * slopeOf(right, q))
      : undefined,
  );
}

export interface Window {
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
  readonly groups: number;
}

export function conv(x: Tensor, w: Tensor, { stride, padding, dilation, groups }: Window): Tensor {
  const [images, , height, width] = x.shape as [number, number, number, number];
  const [outputs, within, high, wide] = w.shape as [number, number, number, number];
  const rows = Math.floor((height + 2 * padding - dilation * (high - 1) - 1) / stride) + 1;
  const columns = Math.floor((width + 2 * padding - dilation * (wide - 1) - 1) / stride) + 1;
  const shape = [images, outputs, rows, columns];
  const [xs, ws] = [strides(x.shape), strides(w.shape)];
  const data = new Float64Array(count(shape));
  const slope = new Float64Array(count(shape));
  walk(shape, ([b, o, r, c], at) => {
    const group = Math.floor(o! / (outputs / groups));
    for (let i = 0; i < within; i++)
      for (let p = 0; p < high; p++)
        for (let q = 0; q < wide; q++) {
          const [y, z] = [r! * stride + p * dilation - padding, c! * stride + q * dilation - padding];
          if (y < 0 || y >= height || z < 0 || z >= width) continue;
          const from = b! * xs[0]! + (group * within + i) * xs[1]! + y * xs[2]! + z;
          const by = o! * ws[0]! + i * ws[1]! + p * ws[2]! + q;
          data[at]! += x.data[from]! * w.data[by]!;
          slope[at]! += slopeOf(x, from) * w.data[by]! + x.data[from]! * slopeOf(w, by);
        }
  });
  return { dtype: 'f32', shape, data, slope: steep(x, w) ? slope : undefined };
}

export function maxPool(x: Tensor, kernel: number, stride: number): Tensor {
  const [b, c, height, width] = x.shape as [number, number, number, number];
  const shape = [b, c, Math.floor((height - kernel) / stride) + 1, Math.floor((width - kernel) / stride) + 1];
  const steps = strides(x.shape);
  return taken(x, shape, ([i, j, r, s]) => {
    let best = -1;
    for (let p = 0; p < kernel; p++)
      for (let q = 0; q < kernel; q++) {
        const at = i! * steps[0]! + j! * steps[1]! + (r! * stride + p) * steps[2]! + s! * stride + q;
        if (best < 0 || x.data[at]! > x.data[best]!) best = at;
      }
    return best;
  });
}

/** Bilinear samples; at a whole position the slope is that towards larger positions. */
export function sample(x: Tensor, at: Tensor): Tensor {
  const [images, channels, height, width] = x.shape as [number, number, number, number];
  const points = at.shape[1]!;
  const shape = [images, channels, points];
  const steps = strides(x.shape);
  const data = new Float64Array(count(shape));
  const slope = new Float64Array(count(shape));
  walk(shape, ([b, c, p], to) => {
    const place = (b! * points + p!) * 2;
    const [px, py] = [at.data[place]!, at.data[place + 1]!];
    const [dx, dy] = [slopeOf(at, place), slopeOf(at, place + 1)];
    const [left, top] = [Math.floor(px), Math.floor(py)];
    const [u, v] = [px - left, py - top];
    for (const [i, j, weight, change] of [
      [0, 0, (1 - u) * (1 - v), -dx * (1 - v) - dy * (1 - u)],
      [1, 0, u * (1 - v), dx * (1 - v) - dy * u],
      [0, 1, (1 - u) * v, -dx * v + dy * (1 - u)],
      [1, 1, u * v, dx * v + dy * u],
    ] as const) {
      const [y, z] = [top + j, left + i];
      if (y < 0 || y >= height || z < 0 || z >= width) continue;
      const from = b! * steps[0]! + c! * steps[1]! + y * steps[2]! + z;
      data[to]! += weight * x.data[from]!;
      slope[to]! += weight * slopeOf(x, from) + change * x.data[from]!;
    }
  });
  return { dtype: 'f32', shape, data, slope: steep(x, at) ? slope : undefined };
}

export function gather(table: Tensor, index: Tensor): Tensor {
  const row = count(table.shape.slice(1));
  return taken(table, [...index.shape, ...table.shape.slice(1)], (at) => {
    const which = at.slice(0, index.shape.length).reduce((sum, i, axis) => sum * index.shape[axis]! + i, 0);
    const within = at.slice(index.shape.length).reduce((sum, i, axis) => sum * table.shape[axis + 1]! + i, 0);
    return index.data[which]! * row + within;
  });
}

export function scatter(index: Tensor, updates: Tensor, rows: number): Tensor {
  const rest = updates.shape.slice(index.shape.length);
  const row = count(rest);
  const data = new Float64Array(rows * row);
  const slope = new Float64Array(rows * row);
  for (let i = 0; i < updates.data.length; i++) {
    const to = index.data[Math.floor(i / row)]! * row + (i % row);
    data[to]! += updates.data[i]!;
    slope[to]! += slopeOf(updates, i);
  }
  return { dtype: 'f32', shape: [rows, ...rest], data, slope: steep(updates) ? slope : undefined };
}

export function top(x: Tensor, k: number, part: 'value' | 'index'): Tensor {
  const n = x.shape.at(-1)!;
  const shape = [...x.shape.slice(0, -1), k];
  const order = (row: number) =>
    Array.from({ length: n }, (_, i) => i).sort((i, j) => x.data[row * n + j]! - x.data[row * n + i]! || i - j);
  const rows = Array.from({ length: count(shape) / k }, (_, row) => order(row));
  if (part === 'index') return make('i32', shape, (i) => rows[Math.floor(i / k)]![i % k]!);
  const from = (i: number) => Math.floor(i / k) * n + rows[Math.floor(i / k)]![i % k]!;
  return make('f32', shape, (i) => x.data[from(i)]!, x.slope && ((i) => slopeOf(x, from(i))));
}

export function cast(x: Tensor, dtype: DType): Tensor {
  const convert = (value: number): number =>
    dtype === 'bool' ? Number(value !== 0) : dtype === 'i32' ? Math.trunc(value) : value;
  return make(
    dtype,
    x.shape,
    (i) => convert(x.data[i]!),
    x.dtype === 'f32' && dtype === 'f32' ? x.slope && ((i) => slopeOf(x, i)) : undefined,
  );
}
