import type { Dim } from '../dims/dim.ts';
import type { DType, TensorData } from './types.ts';

type None = Readonly<Record<never, never>>;

// The closed set of operators: names and static attributes. `ops/table.ts` defines what each operator does. Axes are
// counted from 0 and never negative. Binary operators and `select` broadcast by trailing alignment (two axes are equal,
// or one of them is 1); the other operators do not broadcast.

/** Operators that create, move and select elements without computing on them. */
export interface DataAttributes {
  readonly constant: { readonly tensor: TensorData };
  readonly full: { readonly value: number; readonly dtype: DType; readonly shape: readonly Dim[] };
  /** i32[n]: 0, 1, …, n-1. */
  readonly iota: { readonly n: Dim };
  /** i32[]: the value of a dim, for use in the graph. */
  readonly dim: { readonly value: Dim };
  /** f32 in [0, 1). The host draws the numbers from (seed, key, step). */
  readonly uniform: { readonly shape: readonly Dim[]; readonly key: string };
  readonly stop_gradient: None;
  /** (x, signal) -> x, computed after the signal. */
  readonly barrier: None;
  readonly reshape: { readonly shape: readonly Dim[] };
  readonly transpose: { readonly perm: readonly number[] };
  /** Broadcasts to `shape` by trailing alignment. */
  readonly broadcast: { readonly shape: readonly Dim[] };
  readonly concat: { readonly axis: number };
  /** One entry per axis: start <= i < stop with the given step (>= 1). */
  readonly slice: { readonly start: readonly Dim[]; readonly stop: readonly Dim[]; readonly step: readonly number[] };
  /** One entry per axis; pads with a constant. */
  readonly pad: { readonly low: readonly Dim[]; readonly high: readonly Dim[]; readonly value: number };
  /** (x[N, ...R], i: i32[...I]) -> [...I, ...R]. */
  readonly gather: None;
  /**
   * (i: i32[...I], u[...I, ...R]) -> [rows, ...R]: zeros elsewhere, duplicates are added. With `apart`, the rows are
   * split into as many equal parts as i's first axis is long, and the k-th entry of that axis only refers to the k-th
   * part, so that the parts may be summed separately.
   */
  readonly scatter_add: { readonly rows: Dim; readonly apart: boolean };
  /** (c: bool, a, b), broadcasting. */
  readonly select: None;
  readonly cast: { readonly dtype: DType };
}

/** Operators that work on one element at a time. */
export interface UnaryAttributes {
  readonly neg: None;
  readonly abs: None;
  readonly exp: None;
  readonly log: None;
  readonly sqrt: None;
  readonly sin: None;
  readonly cos: None;
  readonly tanh: None;
  readonly erf: None;
  readonly sigmoid: None;
  readonly softplus: None;
  readonly relu: None;
  readonly floor: None;
  readonly not: None;
}

/**
 * Operators that work on pairs of elements. `mod` and `floordiv` are Euclidean for a positive divisor; `pow` takes
 * floats.
 */
export interface BinaryAttributes {
  readonly add: None;
  readonly sub: None;
  readonly mul: None;
  readonly div: None;
  readonly pow: None;
  readonly max: None;
  readonly min: None;
  readonly mod: None;
  readonly floordiv: None;
  readonly eq: None;
  readonly lt: None;
  readonly le: None;
  readonly and: None;
  readonly or: None;
}

/** Reductions. `axes` is ascending; the axes are removed unless `keep` is set. */
export interface ReduceAttributes {
  readonly sum: { readonly axes: readonly number[]; readonly keep: boolean };
  readonly reduce_max: { readonly axes: readonly number[]; readonly keep: boolean };
  /** The k largest of the last axis, descending, ties to the lower index -> (values, index: i32). */
  readonly topk: { readonly k: number };
}

/** Matrix products and convolutions. */
export interface ContractAttributes {
  /** (a[...A, M, K], b[...B, K, N]) -> [...(A broadcast B), M, N]. */
  readonly matmul: None;
  /** (x[B, C, H, W], w[O, C/groups, h, w]); pad is [top, left, bottom, right]. */
  readonly conv2d: ConvAttributes;
  /** Gradient in x: (dy, w) -> shape. */
  readonly conv2d_dx: ConvAttributes & { readonly shape: readonly Dim[] };
  /** Gradient in w: (x, dy) -> [O, C/groups, h, w] with `kernel` = [h, w]. */
  readonly conv2d_dw: ConvAttributes & { readonly kernel: readonly [number, number] };
}

/** Operators that a target may support natively, each defined by other operators (`definitions/table.ts`). */
export interface CompositeAttributes {
  readonly mean: { readonly axes: readonly number[]; readonly keep: boolean };
  readonly softmax: { readonly axis: number };
  readonly log_softmax: { readonly axis: number };
  /** (x[..., C], scale[C], bias[C]) over the last axis. */
  readonly layer_norm: { readonly eps: number };
  /** Exact (erf), or the tanh approximation. */
  readonly gelu: { readonly approximate: boolean };
  /** (x[B, C, H, W]); pad is [top, left, bottom, right], filled with -inf. */
  readonly max_pool2d: {
    readonly kernel: readonly [number, number];
    readonly stride: readonly [number, number];
    readonly pad: readonly [number, number, number, number];
  };
  /**
   * (x[B, C, H, W], at[B, P, 2]) -> [B, C, P]: bilinear, zeros outside. Points are in pixels, x first; 0 is the first
   * pixel's centre.
   */
  readonly grid_sample: None;
}

export interface ConvAttributes {
  readonly stride: readonly [number, number];
  readonly pad: readonly [number, number, number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;
}

export interface OpAttributes
  extends DataAttributes,
    UnaryAttributes,
    BinaryAttributes,
    ReduceAttributes,
    ContractAttributes,
    CompositeAttributes {}

export type DataName = keyof DataAttributes;
export type UnaryName = keyof UnaryAttributes;
export type BinaryName = keyof BinaryAttributes;
export type ReduceName = keyof ReduceAttributes;
export type ContractName = keyof ContractAttributes;
export type CompositeName = keyof CompositeAttributes;
export type OpName = keyof OpAttributes;
