import { asConstant, constant, type Dim, one, sub, zero } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { NodeOf, NodeOp, Value } from '../ir/graph.ts';
import type { DType } from '../ir/types.ts';
import {
  anything,
  between,
  larger,
  magnitude,
  negated,
  ofNumbers,
  part,
  plus,
  quotient,
  type Range,
  remainder,
  single,
  smaller,
  times,
  union,
} from './range.ts';

/** Returns the bounds of the elements of a value, as far as they follow from the graph. */
export type Ranges = (value: Value) => Range;

/** The analysis stops after this many operators in a chain. */
const mostSteps = 64;

/**
 * Returns the ranges of values under facts about dims; `given` supplies the ranges of values that are known otherwise.
 * Assumes sizes for which integers computed from them fit into 32 bits.
 */
export function rangesUnder(facts: Facts, given: (value: Value) => Range | undefined = () => undefined): Ranges {
  const found = new Map<Value, Range>();
  const find = (value: Value, steps: number): Range => {
    const known = found.get(value);
    if (known !== undefined) return known;
    if (steps === 0) return ofType(value);
    const range = fitted(given(value) ?? rangeOf(value, facts, (input) => find(input, steps - 1)), value);
    found.set(value, range);
    return range;
  };
  return (value) => find(value, mostSteps);
}

/** The range of the dtype. */
function ofType(value: Value): Range {
  const axes = allAxes(value);
  const most = {
    bool: 1,
    u8: 255,
    i32: undefined,
    i64: undefined,
    f32: undefined,
    f16: undefined,
    bf16: undefined,
  } as const;
  const high = most[value.type.dtype];
  return high === undefined ? anything(axes) : between(zero, constant(high), axes);
}

/** Discards a range that the dtype cannot hold: integers wrap beyond 32 bits, and large floats are rounded. */
function fitted(range: Range, value: Value): Range {
  const { dtype } = value.type;
  if (range.low === undefined && range.high === undefined) return { ...ofType(value), axes: range.axes };
  const most = dtype === 'i32' ? 2 ** 31 - 1 : (wholeFloats[dtype] ?? Number.POSITIVE_INFINITY);
  const fits = (end: Dim | undefined) => {
    const n = end && asConstant(end);
    return n === undefined || (n >= (dtype === 'i32' ? -most - 1 : -most) && n <= most);
  };
  return fits(range.low?.at) && fits(range.high?.at) ? range : anything(range.axes);
}

/** Up to these numbers, a float dtype represents every integer. */
const wholeFloats: Readonly<Partial<Record<DType, number>>> = { f32: 2 ** 24, f16: 2 ** 11, bf16: 2 ** 8 };

/** The arguments of a range rule. */
interface At {
  readonly value: Value;
  readonly facts: Facts;
  /** The range of the i-th input. */
  input(i: number): Range;
  /** The number of axes of the result. */
  readonly rank: number;
}
type RangeRule<O extends NodeOp> = (node: NodeOf<O>, at: At) => Range;

/** Only the dtype is known. */
const unknown = (_node: unknown, { value }: At): Range => ofType(value);
const ofInput = (_node: unknown, { input }: At): Range => input(0);
const fromZeroToOne = (_node: unknown, { value }: At): Range => between(zero, one, allAxes(value));
const partOfInput = (_node: unknown, { value, input }: At): Range => ({ ...part(input(0)), axes: allAxes(value) });

/** The range of each operator's result, given the ranges of its inputs. */
const rangeRules: { readonly [O in NodeOp]: RangeRule<O> } = {
  input: unknown,
  weight: unknown,
  constant: (node, { value }) => ofNumbers(node.attributes.tensor.data, allAxes(value)),
  full: (node) => ofNumbers([node.attributes.value], 0),
  iota: (node, { facts, rank }) => ({
    low: { at: zero, reached: true },
    high: { at: sub(facts.normalize(node.attributes.n), one), reached: true },
    axes: axisBit(rank, 0),
  }),
  dim: (node, { facts }) => single(facts.normalize(node.attributes.value)),
  uniform: fromZeroToOne,
  stop_gradient: ofInput,
  barrier: ofInput,
  reshape: (node, { input }) => ({ ...input(0), axes: reshapedAxes(node, input(0).axes) }),
  transpose: (node, { input, rank }) => ({
    ...input(0),
    axes: node.attributes.perm.reduce(movedAxis(input(0).axes, rank), 0),
  }),
  broadcast: ofInput,
  concat: (node, { input, facts, rank }) => {
    const all = node.inputs.map((_, i) => input(i)).reduce((a, b) => union(a, b, facts));
    return { ...all, axes: all.axes | axisBit(rank, node.attributes.axis) };
  },
  slice: (node, { input, facts }) => ((input(0).axes & cutAxes(node, facts)) === 0 ? input(0) : part(input(0))),
  pad: (node, { value, input, facts }) => {
    const all = union(input(0), ofNumbers([node.attributes.value], 0), facts);
    return { ...part(all), axes: allAxes(value) };
  },
  gather: partOfInput,
  scatter_add: unknown,
  select: (_node, { input, facts }) => {
    const either = part(union(input(1), input(2), facts));
    return { ...either, axes: either.axes | input(0).axes };
  },
  cast: (node, { value, input }) => castRange(input(0), node.inputs[0], value),
  neg: (_node, { input }) => negated(input(0)),
  abs: (_node, { input, facts }) => magnitude(input(0), facts),
  exp: unknown,
  log: unknown,
  sqrt: unknown,
  sin: unknown,
  cos: unknown,
  tanh: (_node, { value }) => between(constant(-1), one, allAxes(value)),
  erf: unknown,
  sigmoid: fromZeroToOne,
  softplus: unknown,
  relu: (_node, { input, facts }) => larger(input(0), single(zero), facts),
  floor: ofInput,
  not: unknown,
  add: (_node, { input }) => plus(input(0), input(1)),
  sub: (_node, { input }) => plus(input(0), negated(input(1))),
  mul: (_node, { input, facts }) => times(input(0), input(1), facts),
  div: unknown,
  pow: unknown,
  max: (_node, { input, facts }) => larger(input(0), input(1), facts),
  min: (_node, { input, facts }) => smaller(input(0), input(1), facts),
  mod: (_node, { input, facts }) => remainder(input(0), input(1), facts),
  floordiv: (_node, { input, facts }) => quotient(input(0), input(1), facts),
  eq: unknown,
  lt: unknown,
  le: unknown,
  and: unknown,
  or: unknown,
  sum: unknown,
  reduce_max: partOfInput,
  topk: (node, { value, input, facts }) => {
    const last = facts.normalize(node.inputs[0].type.shape.at(-1)!);
    return value.index === 0
      ? { ...part(input(0)), axes: allAxes(value) }
      : between(zero, sub(last, one), allAxes(value));
  },
  matmul: unknown,
  conv2d: unknown,
  conv2d_dx: unknown,
  conv2d_dw: unknown,
  mean: unknown,
  softmax: unknown,
  log_softmax: unknown,
  layer_norm: unknown,
  gelu: unknown,
  max_pool2d: unknown,
  grid_sample: unknown,
};

function rangeOf(value: Value, facts: Facts, find: Ranges): Range {
  const { node } = value;
  const at: At = { value, facts, input: (i) => find(node.inputs[i]!), rank: value.type.shape.length };
  return (rangeRules[node.op] as RangeRule<NodeOp>)(node as NodeOf<NodeOp>, at);
}

/** For each target dtype, the source dtypes with numbers that it cannot hold after truncation. */
const isNarrower: Readonly<Partial<Record<DType, readonly DType[]>>> = {
  bool: ['u8', 'i32', 'i64', 'f32', 'f16', 'bf16'],
  u8: ['i32', 'i64', 'f32', 'f16', 'bf16'],
  i32: ['i64', 'f32', 'f16', 'bf16'],
  i64: ['f32', 'f16', 'bf16'],
};

/**
 * The range is unchanged if the new dtype holds all the numbers. The results for other numbers, including NaN, differ
 * between targets.
 */
function castRange(x: Range, from: Value, to: Value): Range {
  const isOpen = x.low === undefined || x.high === undefined;
  if (isOpen && isNarrower[to.type.dtype]?.includes(from.type.dtype)) return { ...ofType(to), axes: x.axes };
  const least = ofType(to);
  const fits = (end: Dim | undefined, low: number, high: number) => {
    const n = end && asConstant(end);
    return n === undefined || (n >= low && n <= high);
  };
  const [low, high] = [least.low && asConstant(least.low.at), least.high && asConstant(least.high.at)];
  if (low === undefined || high === undefined) return x;
  return fits(x.low?.at, low, high) && fits(x.high?.at, low, high) ? x : { ...least, axes: x.axes };
}

// Axes are bits with the last axis first, so broadcasting, which adds leading axes, keeps the bits.

function axisBit(rank: number, axis: number): number {
  return 2 ** (rank - 1 - axis);
}

function allAxes({ type }: Value): number {
  return 2 ** type.shape.length - 1;
}

function movedAxis(axes: number, rank: number) {
  return (moved: number, from: number, to: number): number =>
    (axes & axisBit(rank, from)) === 0 ? moved : moved | axisBit(rank, to);
}

/**
 * A reshape that only adds or drops axes of size 1 maps each axis; after any other, elements may differ along every
 * axis.
 */
function reshapedAxes(node: NodeOf<'reshape'>, axes: number): number {
  if (axes === 0) return 0;
  const [from, to] = [node.inputs[0].type.shape, node.outputs[0].type.shape].map((shape) =>
    shape.flatMap((size, axis) => (size.key === one.key ? [] : [{ size, bit: axisBit(shape.length, axis) }])),
  ) as [AxisOfSize[], AxisOfSize[]];
  const isSame = from.length === to.length && from.every(({ size }, i) => size.key === to[i]!.size.key);
  if (!isSame) return allAxes(node.outputs[0]);
  return from.reduce((moved, { bit }, i) => ((axes & bit) === 0 ? moved : moved | to[i]!.bit), 0);
}

interface AxisOfSize {
  readonly size: Dim;
  readonly bit: number;
}

function cutAxes(node: NodeOf<'slice'>, facts: Facts): number {
  const { start, stop, step } = node.attributes;
  const { shape } = node.inputs[0].type;
  const isWhole = (axis: number) =>
    asConstant(start[axis]!) === 0 &&
    step[axis] === 1 &&
    facts.normalize(sub(stop[axis]!, shape[axis]!)).key === zero.key;
  return shape.reduce((axes, _, axis) => (isWhole(axis) ? axes : axes | axisBit(shape.length, axis)), 0);
}
