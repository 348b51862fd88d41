import type { Dim } from '../dims/dim.ts';
import type { Init, NodeAttributes, NodeOp } from './graph.ts';
import type { DType, TensorData } from './types.ts';

/** The types of attribute values by kind, for code that walks attributes without knowing the operator. */
export interface AttributeValues {
  readonly dim: Dim;
  readonly dims: readonly Dim[];
  readonly number: number;
  readonly numbers: readonly number[];
  readonly boolean: boolean;
  readonly text: string;
  readonly dtype: DType;
  readonly tensor: TensorData;
  readonly init: Init;
}
export type AttributeKind = keyof AttributeValues;

const conv = { stride: 'numbers', pad: 'numbers', dilation: 'numbers', groups: 'number' } as const;
const axes = { axes: 'numbers', keep: 'boolean' } as const;

type KindsOf<Attributes> = {
  readonly [K in keyof Attributes]: {
    [Kind in AttributeKind]: Attributes[K] extends AttributeValues[Kind] ? Kind : never;
  }[AttributeKind];
};

/** The attributes of every operator, in the order in which they are printed. */
export const attributeKinds: { readonly [O in NodeOp]: KindsOf<NodeAttributes[O]> } = {
  input: { name: 'text' },
  weight: { path: 'text', role: 'text', init: 'init', decay: 'boolean', keepF32: 'boolean' },
  constant: { tensor: 'tensor' },
  full: { value: 'number', dtype: 'dtype', shape: 'dims' },
  iota: { n: 'dim' },
  dim: { value: 'dim' },
  uniform: { shape: 'dims', key: 'text' },
  stop_gradient: {},
  barrier: {},
  reshape: { shape: 'dims' },
  transpose: { perm: 'numbers' },
  broadcast: { shape: 'dims' },
  concat: { axis: 'number' },
  slice: { start: 'dims', stop: 'dims', step: 'numbers' },
  pad: { low: 'dims', high: 'dims', value: 'number' },
  gather: {},
  scatter_add: { rows: 'dim', apart: 'boolean' },
  select: {},
  cast: { dtype: 'dtype' },
  neg: {},
  abs: {},
  exp: {},
  log: {},
  sqrt: {},
  sin: {},
  cos: {},
  tanh: {},
  erf: {},
  sigmoid: {},
  softplus: {},
  relu: {},
  floor: {},
  not: {},
  add: {},
  sub: {},
  mul: {},
  div: {},
  pow: {},
  max: {},
  min: {},
  mod: {},
  floordiv: {},
  eq: {},
  lt: {},
  le: {},
  and: {},
  or: {},
  sum: axes,
  reduce_max: axes,
  topk: { k: 'number' },
  matmul: {},
  conv2d: conv,
  conv2d_dx: { ...conv, shape: 'dims' },
  conv2d_dw: { ...conv, kernel: 'numbers' },
  mean: axes,
  softmax: { axis: 'number' },
  log_softmax: { axis: 'number' },
  layer_norm: { eps: 'number' },
  gelu: { approximate: 'boolean' },
  max_pool2d: { kernel: 'numbers', stride: 'numbers', pad: 'numbers' },
  grid_sample: {},
};

/** An attribute with its kind: a discriminated union, so that `switch (kind)` narrows `value`. */
export type Attribute = {
  [K in AttributeKind]: { readonly name: string; readonly kind: K; readonly value: AttributeValues[K] };
}[AttributeKind];

type Entry = readonly [name: string, kind: AttributeKind];
const entriesByOp = new Map(
  Object.entries(attributeKinds).map(([op, kinds]) => [op, Object.entries(kinds) as readonly Entry[]]),
);

export function attributesOf(op: NodeOp, attributes: NodeAttributes[NodeOp]): readonly Attribute[] {
  const values = attributes as unknown as Readonly<Record<string, unknown>>;
  return entriesByOp.get(op)!.map(([name, kind]) => ({ name, kind, value: values[name] }) as Attribute);
}

/** Returns a copy of the attributes with `f` applied to every dim, or the same object if the operator has no dims. */
export function mapDims<O extends NodeOp>(
  op: O,
  attributes: NodeAttributes[O],
  f: (dim: Dim) => Dim,
): NodeAttributes[O] {
  let result: Record<string, unknown> | undefined;
  for (const [name, kind] of entriesByOp.get(op)!) {
    if (kind !== 'dim' && kind !== 'dims') continue;
    result ??= { ...attributes };
    result[name] = kind === 'dim' ? f(result[name] as Dim) : (result[name] as readonly Dim[]).map(f);
  }
  return (result as NodeAttributes[O] | undefined) ?? attributes;
}
