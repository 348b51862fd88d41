import type { Dim } from '../dims/dim.ts';
import type { DType, TensorData } from './types.ts';

type None = Readonly<Record<never, never>>;

// The closed operator set: names and static attributes. What each operator is stands in its row (`ops/table.ts`).
// Axes are counted from 0, never negative. Binary operators and `select` broadcast by trailing alignment
// (an axis is equal or 1); everything else takes shapes as they are.

/** Operators that make, move and choose elements without computing on them. */
export interface DataAttributes {
  readonly constant: { readonly tensor: TensorData };
  readonly full: { readonly value: number; readonly dtype: DType; readonly shape: readonly Dim[] };
  /** i32[n]: 0, 1, …, n-1. */
  readonly iota: { readonly n: Dim };
  /** i32[]: a dim as a number in the graph. */
  readonly dim: { readonly value: Dim };
  /** f32 in [0, 1), drawn by the host from (seed, key, step). */
  readonly uniform: { readonly shape: readonly Dim[]; readonly key: string };
  readonly stop_gradient: None;
  /** (x, signal) -> x, not before the signal. */
  readonly barrier: None;
  readonly reshape: { readonly shape: readonly Dim[] };
  readonly transpose: { readonly perm: readonly number[] };
  /** To `shape` by trailing alignment. */
  readonly broadcast: { readonly shape: readonly Dim[] };
  readonly concat: { readonly axis: number };
  /** One entry an axis: start <= i < stop by step (>= 1). */
  readonly slice: { readonly start: readonly Dim[]; readonly stop: readonly Dim[]; readonly step: readonly number[] };
  /** One entry an axis; constant fill. */
  readonly pad: { readonly low: readonly Dim[]; readonly high: readonly Dim[]; readonly value: number };
  /** (x[N, ...R], i: i32[...I]) -> [...I, ...R]. */
  readonly gather: None;
  /**
   * (i: i32[...I], u[...I, ...R]) -> [rows, ...R], zeros elsewhere, duplicates added. `apart`: the k-th entry along i's first
   * axis names rows of the k-th of as many equal parts only, which may so be summed apart.
   */
  readonly scatter_add: { readonly rows: Dim; readonly apart: boolean };
  /** (c: bool, a, b), broadcasting. */
  readonly select: None;
  readonly cast: { readonly dtype: DType };
}

/** Operators on one element at a time. */
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

/** Operators on pairs of elements. `mod` and `floordiv` are Euclidean for a positive divisor; `pow` takes floats. */
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

/** Operators that fold axes: `axes` ascending; the axes vanish unless `keep`. */
export interface ReduceAttributes {
  readonly sum: { readonly axes: readonly number[]; readonly keep: boolean };
  readonly reduce_max: { readonly axes: readonly number[]; readonly keep: boolean };
  /** Last axis, descending, ties to the lower index -> (values, index: i32). */
  readonly topk: { readonly k: number };
}

/** Products of matrices and images. */
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

/** Operators that a target may know by name, each with a definition in the others (`definitions/table.ts`). */
export interface CompositeAttributes {
  readonly mean: { readonly axes: readonly number[]; readonly keep: boolean };
  readonly softmax: { readonly axis: number };
  readonly log_softmax: { readonly axis: number };
  /** (x[..., C], scale[C], bias[C]) over the last axis. */
  readonly layer_norm: { readonly eps: number };
  /** Exact (erf), or by tanh. */
  readonly gelu: { readonly approximate: boolean };
  /** (x[B, C, H, W]); pad is [top, left, bottom, right], filled with -inf. */
  readonly max_pool2d: {
    readonly kernel: readonly [number, number];
    readonly stride: readonly [number, number];
    readonly pad: readonly [number, number, number, number];
  };
  /** (x[B, C, H, W], at[B, P, 2] pixels, x before y, 0 is the first pixel's centre) -> [B, C, P]; bilinear, zeros outside. */
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
