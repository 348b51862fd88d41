import { asVariable, constant, evaluate } from '../../../compiler/dims/dim.ts';
import { runNode } from '../../../compiler/graphs/interpret.ts';
import { mapDims } from '../../../compiler/ir/attributes.ts';
import type { AnyOp, Graph, Node, Value } from '../../../compiler/ir/graph.ts';
import { elementCount } from '../../../compiler/ir/tensor-data.ts';
import type { DType, TensorData } from '../../../compiler/ir/types.ts';
import { type Draw, draws } from '../../draws.ts';

/**
 * A graph on the reference kernels three times: in float64, and twice with results off by about what float32 or float16 arithmetic is
 * off by. How far these come out from each other says how close another implementation has to be. What is exact, such as sums of
 * small halves, is not disturbed, so that ties and kinks stay where they are.
 */
export interface Lanes {
  readonly results: ReadonlyMap<string, TensorData>;
  /** How far an element of an output may be off. */
  readonly spread: ReadonlyMap<string, number>;
  /** Why results cannot be compared: a number too large, or a decision that rounding may turn over. */
  readonly unclear: string | undefined;
}

interface Held {
  readonly exact: TensorData;
  readonly noisy: readonly [TensorData, TensorData];
  /** Every implementation has these very numbers. */
  readonly isExact: boolean;
  /** The largest difference of a lane from float64. */
  readonly spread: number;
}

/** How an operator rounds. */
interface Rounding {
  /** Its results are exact where its operands are: in any case, or where all numbers are multiples of 1/1024, and not large. */
  readonly exact?: 'always' | 'on the grid';
  /** It adds many terms up, so that what is off in its operands counts. */
  readonly sums?: true;
  /** Runtimes approximate it, to about four units. */
  readonly approximated?: true;
  /** What its results are made of may be larger than they are. */
  readonly cancels?: true;
  /** Where its results jump: where its two operands cross, at whole numbers, or at 0. */
  readonly jumps?: 'crossing' | 'whole' | 'zero';
  /** Lanes that are a part of a period apart say no more how far rounding leads. */
  readonly periodic?: true;
}

const roundings: Readonly<Record<AnyOp, Rounding>> = {
  input: {},
  weight: {},
  constant: { exact: 'on the grid' },
  full: { exact: 'on the grid' },
  iota: { exact: 'on the grid' },
  dim: { exact: 'on the grid' },
  uniform: {},
  stop_gradient: { exact: 'always' },
  barrier: { exact: 'always' },
  reshape: { exact: 'always' },
  transpose: { exact: 'always' },
  broadcast: { exact: 'always' },
  concat: { exact: 'always' },
  slice: { exact: 'always' },
  pad: { exact: 'always' },
  gather: { exact: 'always' },
  scatter_add: { exact: 'on the grid', sums: true },
  select: { exact: 'always' },
  cast: { exact: 'on the grid' },
  neg: { exact: 'always' },
  abs: { exact: 'always' },
  exp: { approximated: true },
  log: { approximated: true, cancels: true },
  sqrt: { approximated: true },
  sin: { approximated: true, cancels: true, periodic: true },
  cos: { approximated: true, cancels: true, periodic: true },
  tanh: { approximated: true, cancels: true },
  erf: { approximated: true, cancels: true },
  sigmoid: { approximated: true, cancels: true },
  softplus: { approximated: true, cancels: true },
  relu: { exact: 'always' },
  floor: { exact: 'on the grid', jumps: 'whole' },
  not: { exact: 'on the grid' },
  add: { exact: 'on the grid' },
  sub: { exact: 'on the grid' },
  mul: { exact: 'on the grid' },
  div: { approximated: true },
  pow: { approximated: true },
  max: { exact: 'always' },
  min: { exact: 'always' },
  mod: { exact: 'on the grid' },
  floordiv: { exact: 'on the grid' },
  eq: { exact: 'on the grid', jumps: 'crossing' },
  lt: { exact: 'on the grid', jumps: 'crossing' },
  le: { exact: 'on the grid', jumps: 'crossing' },
  and: { exact: 'on the grid' },
  or: { exact: 'on the grid' },
  sum: { exact: 'on the grid', sums: true },
  reduce_max: { exact: 'always' },
  topk: { exact: 'always' },
  matmul: { exact: 'on the grid', sums: true },
  conv2d: { exact: 'on the grid', sums: true },
  conv2d_dx: { exact: 'on the grid', sums: true },
  conv2d_dw: { exact: 'on the grid', sums: true },
  mean: { sums: true },
  softmax: { sums: true, approximated: true },
  log_softmax: { sums: true, approximated: true, cancels: true },
  layer_norm: { sums: true, approximated: true, cancels: true },
  gelu: { approximated: true, cancels: true },
  max_pool2d: { exact: 'always' },
  grid_sample: { sums: true },
};

/** How many times its spread a result may be off. */
export const allowance = 24;

const largest: Readonly<Record<string, number>> = { f32: 1e30, f16: 3e4 };
const unit = (dtype: DType) => (dtype === 'f16' ? 2 ** -11 : 2 ** -24);

/** Whether all are multiples of 1/1024 below 4096, so that sums and products of a few are exact in float32. */
function onGrid({ data }: TensorData, half: boolean): boolean {
  const [step, most] = half ? [64, 16] : [1024, 4096];
  for (const x of data) if (!(Math.abs(x) <= most) || !Number.isInteger(x * step)) return false;
  return true;
}

export interface LaneOptions {
  /** The number that results are disturbed by: two small results may be little disturbed by chance, and seldom for another number. */
  readonly noise: number;
  /** How far inputs may be off that another graph has made. */
  readonly loose?: ReadonlyMap<string, number> | undefined;
}

export function runLanes(
  graph: Graph,
  feeds: ReadonlyMap<string, TensorData>,
  weights: (path: string, shape: readonly number[]) => TensorData,
  sizes: ReadonlyMap<string, number>,
  { noise, loose = new Map() }: LaneOptions,
): Lanes {
  const dims = new Map(sizes);
  for (const { name, value } of graph.inputs)
    for (const [axis, dim] of value.type.shape.entries()) {
      const variable = asVariable(dim);
      const size = feeds.get(name)?.shape[axis];
      if (variable !== undefined && size !== undefined && !dims.has(variable)) dims.set(variable, size);
    }
  const run = new Run(feeds, weights, loose, (name) => dims.get(name)!, draws(noise));
  for (const node of graph.nodes) run.node(node);
  return run.lanes(graph);
}

class Run {
  readonly #feeds: ReadonlyMap<string, TensorData>;
  readonly #weights: (path: string, shape: readonly number[]) => TensorData;
  readonly #loose: ReadonlyMap<string, number>;
  readonly #size: (name: string) => number;
  readonly #held = new Map<Value, Held>();
  readonly #draw: Draw;
  #unclear: string | undefined;

  constructor(
    feeds: ReadonlyMap<string, TensorData>,
    weights: (path: string, shape: readonly number[]) => TensorData,
    loose: ReadonlyMap<string, number>,
    size: (name: string) => number,
    draw: Draw,
  ) {
    this.#draw = draw;
    this.#feeds = feeds;
    this.#weights = weights;
    this.#loose = loose;
    this.#size = size;
  }

  node(node: Node): void {
    if (node.op === 'input' || node.op === 'weight') {
      const [value] = node.outputs;
      const { dtype, shape } = value!.type;
      const given =
        node.op === 'input'
          ? this.#feeds.get(node.attributes.name)!
          : this.#weights(
              node.attributes.path,
              shape.map((dim) => evaluate(dim, this.#size)),
            );
      const isHalf = dtype === 'f16';
      const held = { ...given, dtype };
      const off = node.op === 'input' ? (this.#loose.get(node.attributes.name) ?? 0) : 0;
      const lanes = off > 0 ? ([this.#away(held, off), this.#away(held, off)] as const) : ([held, held] as const);
      this.#held.set(value!, this.#rounded(held, lanes, !isHalf && off === 0, dtype, 1));
      return;
    }
    const inputs = node.inputs.map((input) => this.#held.get(input)!);
    const attributes = mapDims(node.op, node.attributes, (dim) => constant(evaluate(dim, this.#size)));
    const run = (of: (held: Held) => TensorData) => runNode(node.op, inputs.map(of), attributes);
    this.#decide(node, inputs);
    const exact = run((held) => held.exact);
    const dtype = node.outputs[0]!.type.dtype;
    const allExact = inputs.every(({ isExact }) => isExact);
    const disturbed = (lane: 0 | 1) => {
      if (node.op === 'grid_sample')
        return run((held) => (held === inputs[1] ? this.#moved(held.noisy[lane], lane) : held.noisy[lane]));
      if (node.op === 'layer_norm')
        return this.#besideMean(
          run(({ noisy }) => this.#unsteady(noisy[lane])),
          inputs.map(({ noisy }) => noisy[lane]),
          node.attributes.eps,
        );
      // Numbers that are exact are added up in some order, too.
      return roundings[node.op].sums
        ? run(({ noisy }) => this.#unsteady(noisy[lane]))
        : run(({ noisy }) => noisy[lane]);
    };
    const isSure = allExact && node.op !== 'uniform';
    const keeps =
      isSure &&
      (roundings[node.op].exact === 'always' ||
        (roundings[node.op].exact === 'on the grid' &&
          [...exact, ...inputs.map((one) => one.exact)].every((one) => onGrid(one, dtype === 'f16'))) ||
        this.#isHalving(node, inputs, exact));
    const lanes = keeps ? ([exact, exact] as const) : ([disturbed(0), disturbed(1)] as const);
    const least = keeps ? 0 : passedOn(node.op, inputs);
    for (const [i, value] of node.outputs.entries()) {
      const { dtype: own } = value.type;
      const { approximated, cancels = false } = roundings[node.op];
      const by = approximated ? 4 : 1;
      this.#held.set(value, this.#rounded(exact[i]!, [lanes[0][i]!, lanes[1][i]!], keeps, own, by, cancels, least));
    }
  }

  /** A division by a power of two, or a mean of so many, is exact. */
  #isHalving(node: Node, inputs: readonly Held[], exact: readonly TensorData[]): boolean {
    const all = [...exact, ...inputs.map((one) => one.exact)];
    if (!all.every((one) => onGrid(one, one.dtype === 'f16'))) return false;
    const isPower = (x: number) => x !== 0 && Number.isInteger(Math.log2(Math.abs(x)));
    if (node.op === 'div') return [...inputs[1]!.exact.data].every(isPower);
    return node.op === 'mean' && isPower(elementCount(inputs[0]!.exact.shape) / elementCount(exact[0]!.shape));
  }

  /** Notes where rounding could turn a decision over. */
  #decide({ op, attributes }: Node, inputs: readonly Held[]): void {
    if (inputs.every(({ isExact }) => isExact)) return;
    const [a, b] = inputs;
    const { jumps, periodic } = roundings[op];
    if (periodic && a && a.spread > 0.1) this.#unclear ??= `${op} of a number that is far off`;
    if (jumps === 'crossing' && a && b) {
      const margin = 32 * (a.spread + b.spread) + 1e-6 * Math.max(size(a.exact), size(b.exact));
      if (!pairsClear(a, b, margin)) this.#unclear ??= `${op} decides between numbers that are nearly equal`;
    }
    if (
      (jumps === 'whole' ||
        (op === 'cast' && 'dtype' in attributes && attributes.dtype !== 'f32' && attributes.dtype !== 'f16')) &&
      a &&
      (a.exact.dtype === 'f32' || a.exact.dtype === 'f16')
    ) {
      const margin = 32 * a.spread + 1e-6 * size(a.exact);
      for (const x of a.exact.data)
        if (Math.abs(x - Math.round(x)) <= margin) this.#unclear ??= `${op} of a number that is nearly whole`;
    }
    if (jumps === 'zero' && a && [...a.exact.data].some((x) => Math.abs(x) <= 32 * a.spread + 1e-6 * size(a.exact)))
      this.#unclear ??= `${op} of a number that is nearly 0`;
    if (op === 'topk' && a) {
      const n = a.exact.shape.at(-1)!;
      const margin = 32 * a.spread + 1e-6 * size(a.exact);
      for (let row = 0; row < a.exact.data.length; row += n) {
        const sorted = [...a.exact.data.slice(row, row + n)].sort((x, y) => x - y);
        if (sorted.some((x, i) => i > 0 && x - sorted[i - 1]! <= margin))
          this.#unclear ??= 'top_k of numbers that are nearly equal';
      }
    }
  }

  #rounded(
    exact: TensorData,
    lanes: readonly [TensorData, TensorData],
    isExact: boolean,
    dtype: DType,
    by: number,
    apart = false,
    least = 0,
  ): Held {
    if (dtype !== 'f32' && dtype !== 'f16') return { exact, noisy: [exact, exact], isExact: true, spread: 0 };
    const most = largest[dtype]!;
    for (const x of exact.data) if (!(Math.abs(x) <= most)) this.#unclear ??= 'a number is too large';
    if (isExact) return { exact, noisy: [exact, exact], isExact, spread: 0 };
    const noisy = [this.#shaken(lanes[0], dtype, by, apart), this.#shaken(lanes[1], dtype, by, apart)] as const;
    // Two lanes may meet by chance.
    let spread = Math.max(least, by * unit(dtype) * size(exact));
    for (const lane of noisy)
      for (let i = 0; i < exact.data.length; i++) spread = Math.max(spread, Math.abs(lane.data[i]! - exact.data[i]!));
    if (!Number.isFinite(spread)) this.#unclear ??= 'rounding leads where the function is not defined';
    return { exact, noisy, isExact, spread };
  }

  /** An operand of a sum; whole numbers are what they are. */
  #unsteady(x: TensorData): TensorData {
    return x.dtype === 'f32' || x.dtype === 'f16' ? this.#shaken(x, x.dtype, 1) : x;
  }

  #away(x: TensorData, off: number): TensorData {
    return { ...x, data: Float64Array.from(x.data, (at) => at + (this.#draw.below(2) === 0 ? off : -off)) };
  }

  /** Norms of rows whose mean is off by a unit, of which the deviations of all elements are off alike. */
  #besideMean([y]: readonly TensorData[], [x, scale]: readonly TensorData[], eps: number): readonly TensorData[] {
    const n = scale!.data.length;
    const data = Float64Array.from(y!.data);
    for (let row = 0; row < data.length; row += n) {
      const of = Array.from(x!.data.slice(row, row + n));
      const mean = of.reduce((a, b) => a + b, 0) / n;
      const variance = of.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
      const off =
        ((this.#draw.below(2) === 0 ? 1 : -1) * 2 * unit(x!.dtype) * Math.abs(mean)) / Math.sqrt(variance + eps);
      for (let i = 0; i < n; i++) data[row + i]! += off * scale!.data[i]!;
    }
    return [{ ...y!, data }];
  }

  /** Positions are scaled to the size of the map and back on their way. The lanes go to both sides of a border. */
  #moved(x: TensorData, lane: 0 | 1): TensorData {
    const sign = lane === 0 ? 1 : -1;
    return { ...x, data: Float64Array.from(x.data, (at) => at + sign * 2 ** -21 * (1 + Math.abs(at))) };
  }

  /** Each element off by `by` units, and by one unit of 1 where `apart`; 0 stays 0, and signs stay where nothing cancels. */
  #shaken(x: TensorData, dtype: DType, by: number, apart = false): TensorData {
    const u = unit(dtype);
    const least = dtype === 'f16' ? 2 ** -24 : 2 ** -149;
    const data = new Float64Array(x.data.length);
    for (let i = 0; i < data.length; i++) {
      // Of different sizes, so that the disturbances of two terms do not cancel.
      const sign = (this.#draw.below(2) === 0 ? 1 : -1) * (0.5 + this.#draw.below(64) / 128);
      const size = Math.abs(x.data[i]!);
      const off = apart ? by * u * Math.max(size, 1) : Math.min(size, by * u * size + least);
      data[i] = x.data[i]! + sign * off;
    }
    return { ...x, data };
  }

  lanes(graph: Graph): Lanes {
    const results = new Map<string, TensorData>();
    const spread = new Map<string, number>();
    for (const { name, value } of graph.outputs) {
      const held = this.#held.get(value)!;
      results.set(name, held.exact);
      spread.set(name, held.spread);
      if (held.spread > 0.02 * Math.max(size(held.exact), 1e-6)) this.#unclear ??= 'an output is ill-conditioned';
    }
    return { results, spread, unclear: this.#unclear };
  }
}

/** How far a result may be off, at least, for what its operands are off; less than that only by chance. */
function passedOn(op: AnyOp, inputs: readonly Held[]): number {
  const most = Math.max(0, ...inputs.map(({ spread }) => spread));
  if (op === 'add' || op === 'sub' || op === 'cast' || roundings[op].exact === 'always') return most / 2;
  const [a, b] = inputs;
  if (op !== 'mul' || !a || !b) return 0;
  // Of what is nothing but rounding, both factors may be off by as much as is allowed.
  return Math.max(a.spread * size(b.exact), b.spread * size(a.exact)) / 2 + allowance * a.spread * b.spread;
}

function size({ data }: TensorData): number {
  let most = 0;
  for (const x of data) most = Math.max(most, Math.abs(x));
  return most;
}

/** Whether no two elements are nearly equal, unless they are the same number, computed once. */
function pairsClear(a: Held, b: Held, margin: number): boolean {
  const [rank, shape] = [Math.max(a.exact.shape.length, b.exact.shape.length), [] as number[]];
  const sizeAt = ({ exact }: Held, axis: number) => exact.shape[axis - rank + exact.shape.length] ?? 1;
  for (let axis = 0; axis < rank; axis++) shape.push(sizeAt(a, axis) === 1 ? sizeAt(b, axis) : sizeAt(a, axis));
  const total = elementCount(shape);
  const place = (held: Held, i: number): number => {
    let [rest, at, step] = [i, 0, 1];
    for (let axis = rank - 1; axis >= 0; axis--) {
      const index = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
      if (sizeAt(held, axis) > 1) at += index * step;
      step *= sizeAt(held, axis);
    }
    return at;
  };
  for (let i = 0; i < total; i++) {
    const [p, q] = [place(a, i), place(b, i)];
    const [x, y] = [a.exact.data[p]!, b.exact.data[q]!];
    if (Math.abs(x - y) > margin) continue;
    const isSame = x === y && a.noisy.every((lane, k) => lane.data[p] === b.noisy[k]!.data[q]);
    if (!isSame) return false;
  }
  return true;
}
