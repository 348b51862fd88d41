import { describe, expect, test } from 'vitest';
import { constant, type Dim, variable } from '../../compiler/dims/dim.ts';
import { Facts } from '../../compiler/dims/facts.ts';
import type { OpAttributes, OpName } from '../../compiler/ir/names.ts';
import type { DType, TensorType } from '../../compiler/ir/types.ts';
import type { OpFault } from '../../compiler/ops/row.ts';
import { opNames } from '../../compiler/ops/table.ts';
import { rowOf } from './samples.ts';

type Size = number | Dim;
const dims = (sizes: readonly Size[]): Dim[] => sizes.map((size) => (typeof size === 'number' ? constant(size) : size));
const tensor = (dtype: DType, sizes: readonly Size[]): TensorType => ({ dtype, shape: dims(sizes) });
const f32 = (...sizes: Size[]) => tensor('f32', sizes);
const i32 = (...sizes: Size[]) => tensor('i32', sizes);
const bool = (...sizes: Size[]) => tensor('bool', sizes);
const H = variable('H');

interface Fault<O extends OpName> {
  /** Number of the constraint that fails, from 1. */
  readonly constraint: number;
  readonly inputs: readonly TensorType[];
  readonly attributes: OpAttributes[O];
  /** The dims that disagree, printed, when two do. */
  readonly dims?: readonly [Size, Size];
  readonly at?: OpFault['at'];
}
type Faults = { readonly [O in OpName]: readonly Fault<O>[] };

const axis = (input: number, axis: number) => ({ input, axis });
const none = {};

function unary(accepted: 'float' | 'numeric' | 'bool') {
  const wrong = { float: [i32(2), bool(2)], numeric: [bool(2)], bool: [f32(2), i32(2)] }[accepted];
  return wrong.map((x) => ({ constraint: 1, inputs: [x], attributes: none }));
}
function binary(right: TensorType, wrong: readonly TensorType[]) {
  const { dtype } = right;
  const other = dtype === 'f32' ? i32(2) : f32(2);
  return [
    { constraint: 1, inputs: [right, other], attributes: none },
    ...wrong.map((x) => ({ constraint: 2, inputs: [x, x], attributes: none })),
    {
      constraint: 3,
      inputs: [tensor(dtype, [4, 2]), tensor(dtype, [3])],
      attributes: none,
      dims: [2, 3],
      at: [axis(0, 1), axis(1, 0)],
    },
    {
      constraint: 3,
      inputs: [tensor(dtype, [4, H]), tensor(dtype, [2, 1, 3])],
      attributes: none,
      dims: [H, 3],
      at: [axis(0, 1), axis(1, 2)],
    },
  ] as const;
}
const arithmetic = binary(f32(2), [bool(2)]);
const floatOnly = binary(f32(2), [i32(2), bool(2)]);
const integerOnly = binary(i32(2), [f32(2), bool(2)]);
const boolOnly = binary(bool(2), [f32(2), i32(2)]);

const axesFaults = (accepted: 'float' | 'numeric') =>
  [
    ...(accepted === 'float' ? [i32(2), bool(2)] : [bool(2)]).map((x) => ({
      constraint: 1,
      inputs: [x],
      attributes: { axes: [0], keep: false },
    })),
    ...[[], [2], [1, 0], [0, 0], [-1], [0.5]].map((axes) => ({
      constraint: 2,
      inputs: [f32(2, 3)],
      attributes: { axes, keep: false },
    })),
  ] as const;
const axisFaults = [
  { constraint: 1, inputs: [i32(2)], attributes: { axis: 0 } },
  { constraint: 2, inputs: [f32(2)], attributes: { axis: 1 } },
  { constraint: 2, inputs: [f32(2)], attributes: { axis: -1 } },
] as const;

const conv = { stride: [1, 1], pad: [0, 0, 0, 0], dilation: [1, 1], groups: 1 } as const;
const image = f32(2, 4, 5, 5);
const weights = f32(6, 4, 3, 3);
const dy = f32(2, 6, 3, 3);
const shape = dims([2, 4, 5, 5]);
const kernel = [3, 3] as const;

const slice = (start: Size, stop: Size, step = 1) => ({ start: dims([start]), stop: dims([stop]), step: [step] });
const pad = (low: Size, high: Size, value = 0) => ({ low: dims([low]), high: dims([high]), value });
const pool = { kernel: [2, 2], stride: [1, 1], pad: [0, 0, 0, 0] } as const;

const faults: Faults = {
  constant: [
    { constraint: 1, inputs: [], attributes: { tensor: { dtype: 'f32', shape: [2], data: new Float64Array(3) } } },
    { constraint: 2, inputs: [], attributes: { tensor: { dtype: 'f32', shape: [0], data: new Float64Array(0) } } },
  ],
  full: [
    ...(
      [
        ['bool', 2],
        ['i32', 0.5],
        ['i32', 2 ** 31],
        ['f32', Number.NaN],
        ['f16', 1e5],
        ['u8', -1],
      ] as const
    ).map(([dtype, value]) => ({ constraint: 1, inputs: [], attributes: { value, dtype, shape: [] } })),
    { constraint: 2, inputs: [], attributes: { value: 0, dtype: 'f32', shape: dims([2, 0]) }, dims: [1, 0] },
  ],
  iota: [{ constraint: 1, inputs: [], attributes: { n: constant(0) }, dims: [1, 0] }],
  dim: [],
  uniform: [{ constraint: 1, inputs: [], attributes: { shape: dims([0]), key: '' }, dims: [1, 0] }],
  stop_gradient: [],
  barrier: [],
  reshape: [
    { constraint: 2, inputs: [f32(6)], attributes: { shape: dims([-2, -3]) }, dims: [1, -2] },
    { constraint: 1, inputs: [f32(2, 3)], attributes: { shape: dims([5]) }, dims: [6, 5] },
    { constraint: 1, inputs: [f32(H)], attributes: { shape: dims([5]) }, dims: [H, 5] },
  ],
  transpose: [[0], [0, 0], [0, 2], [0, 1, 2]].map((perm) => ({
    constraint: 1,
    inputs: [f32(2, 3)],
    attributes: { perm },
  })),
  broadcast: [
    { constraint: 1, inputs: [f32(2, 3)], attributes: { shape: dims([3]) } },
    { constraint: 2, inputs: [f32(3)], attributes: { shape: dims([0, 3]) }, dims: [1, 0] },
    { constraint: 3, inputs: [f32(2)], attributes: { shape: dims([4, 3]) }, dims: [2, 3], at: [axis(0, 0)] },
    { constraint: 3, inputs: [f32(H)], attributes: { shape: dims([3]) }, dims: [H, 3], at: [axis(0, 0)] },
  ],
  concat: [
    { constraint: 1, inputs: [], attributes: { axis: 0 } },
    { constraint: 2, inputs: [f32(2), i32(2)], attributes: { axis: 0 } },
    { constraint: 3, inputs: [f32(2), f32(2, 1)], attributes: { axis: 0 } },
    { constraint: 3, inputs: [f32(2), f32(2)], attributes: { axis: 1 } },
    {
      constraint: 4,
      inputs: [f32(2, 3), f32(2, 3), f32(2, 4)],
      attributes: { axis: 0 },
      dims: [3, 4],
      at: [axis(0, 1), axis(2, 1)],
    },
  ],
  slice: [
    { constraint: 1, inputs: [f32(2, 2)], attributes: slice(0, 1) },
    { constraint: 2, inputs: [f32(2)], attributes: slice(0, 1, 0) },
    { constraint: 3, inputs: [f32(2)], attributes: slice(-1, 1), dims: [0, -1], at: [axis(0, 0)] },
    { constraint: 4, inputs: [f32(2)], attributes: slice(1, 1), dims: [1, 1], at: [axis(0, 0)] },
    { constraint: 5, inputs: [f32(2)], attributes: slice(0, 3), dims: [3, 2], at: [axis(0, 0)] },
    { constraint: 5, inputs: [f32(H)], attributes: slice(0, 3), dims: [3, H], at: [axis(0, 0)] },
  ],
  pad: [
    { constraint: 1, inputs: [f32(2, 2)], attributes: pad(0, 1) },
    { constraint: 2, inputs: [i32(2)], attributes: pad(0, 1, 0.5) },
    { constraint: 3, inputs: [f32(2)], attributes: pad(-1, 1), dims: [0, -1], at: [axis(0, 0)] },
    { constraint: 3, inputs: [f32(2)], attributes: pad(1, -1), dims: [0, -1], at: [axis(0, 0)] },
  ],
  gather: [
    { constraint: 1, inputs: [f32(2), f32(2)], attributes: none },
    { constraint: 2, inputs: [f32(), i32(2)], attributes: none },
  ],
  scatter_add: [
    { constraint: 1, inputs: [f32(2), f32(2)], attributes: { rows: constant(2), apart: false } },
    { constraint: 2, inputs: [i32(2), bool(2)], attributes: { rows: constant(2), apart: false } },
    { constraint: 3, inputs: [i32(2), f32(2)], attributes: { rows: constant(0), apart: false }, dims: [1, 0] },
    { constraint: 4, inputs: [i32(2, 3), f32(2)], attributes: { rows: constant(2), apart: false } },
    {
      constraint: 4,
      inputs: [i32(2, 3), f32(2, 4)],
      attributes: { rows: constant(2), apart: false },
      dims: [3, 4],
      at: [axis(0, 1), axis(1, 1)],
    },
    { constraint: 5, inputs: [i32(), f32(4)], attributes: { rows: constant(2), apart: true } },
  ],
  select: [
    { constraint: 1, inputs: [i32(2), f32(2), f32(2)], attributes: none },
    { constraint: 2, inputs: [bool(2), f32(2), i32(2)], attributes: none },
    {
      constraint: 3,
      inputs: [bool(1), f32(2), f32(4, 3)],
      attributes: none,
      dims: [2, 3],
      at: [axis(1, 0), axis(2, 1)],
    },
  ],
  cast: [],
  neg: unary('numeric'),
  abs: unary('numeric'),
  exp: unary('float'),
  log: unary('float'),
  sqrt: unary('float'),
  sin: unary('float'),
  cos: unary('float'),
  tanh: unary('float'),
  erf: unary('float'),
  sigmoid: unary('float'),
  softplus: unary('float'),
  relu: unary('float'),
  floor: unary('float'),
  not: unary('bool'),
  add: arithmetic,
  sub: arithmetic,
  mul: arithmetic,
  div: floatOnly,
  pow: floatOnly,
  max: arithmetic,
  min: arithmetic,
  mod: integerOnly,
  floordiv: integerOnly,
  eq: binary(f32(2), [tensor('u8', [2]), tensor('i64', [2])]),
  lt: arithmetic,
  le: arithmetic,
  and: boolOnly,
  or: boolOnly,
  sum: axesFaults('numeric'),
  reduce_max: axesFaults('numeric'),
  topk: [
    { constraint: 1, inputs: [i32(3)], attributes: { k: 1 } },
    { constraint: 2, inputs: [f32()], attributes: { k: 1 } },
    { constraint: 3, inputs: [f32(3)], attributes: { k: 0 } },
    { constraint: 3, inputs: [f32(3)], attributes: { k: 1.5 } },
    { constraint: 4, inputs: [f32(2, 3)], attributes: { k: 4 }, dims: [4, 3], at: [axis(0, 1)] },
    { constraint: 4, inputs: [f32(2, H)], attributes: { k: 4 }, dims: [4, H], at: [axis(0, 1)] },
  ],
  matmul: [
    { constraint: 1, inputs: [i32(2, 2), i32(2, 2)], attributes: none },
    { constraint: 1, inputs: [f32(2, 2), tensor('f16', [2, 2])], attributes: none },
    { constraint: 2, inputs: [f32(2), f32(2, 2)], attributes: none },
    { constraint: 2, inputs: [f32(2, 2), f32(2)], attributes: none },
    {
      constraint: 3,
      inputs: [f32(5, 2, 3), f32(4, 2)],
      attributes: none,
      dims: [3, 4],
      at: [axis(0, 2), axis(1, 0)],
    },
    {
      constraint: 4,
      inputs: [f32(7, 5, 2, 3), f32(4, 3, 2)],
      attributes: none,
      dims: [5, 4],
      at: [axis(0, 1), axis(1, 0)],
    },
  ],
  conv2d: [
    { constraint: 1, inputs: [i32(2, 4, 5, 5), weights], attributes: conv },
    { constraint: 2, inputs: [f32(4, 5, 5), weights], attributes: conv },
    { constraint: 2, inputs: [image, f32(6, 4, 3)], attributes: conv },
    { constraint: 3, inputs: [image, weights], attributes: { ...conv, groups: 0 } },
    {
      constraint: 3,
      inputs: [image, f32(6, 1, 3, 3)],
      attributes: { ...conv, groups: 4 },
      dims: [6, 4],
      at: [axis(1, 0)],
    },
    {
      constraint: 4,
      inputs: [image, weights],
      attributes: { ...conv, groups: 2 },
      dims: [4, 8],
      at: [axis(0, 1), axis(1, 1)],
    },
    { constraint: 5, inputs: [image, weights], attributes: { ...conv, stride: [0, 1] } },
    { constraint: 5, inputs: [image, weights], attributes: { ...conv, pad: [0, 0, -1, 0] } },
    { constraint: 5, inputs: [image, weights], attributes: { ...conv, dilation: [1, 0.5] } },
    {
      constraint: 6,
      inputs: [f32(2, 4, 5, 2), weights],
      attributes: conv,
      dims: [3, 2],
      at: [axis(0, 3)],
    },
    {
      constraint: 6,
      inputs: [f32(2, 4, H, 5), weights],
      attributes: conv,
      dims: [3, H],
      at: [axis(0, 2)],
    },
  ],
  conv2d_dx: [
    { constraint: 1, inputs: [i32(2, 6, 3, 3), weights], attributes: { ...conv, shape } },
    { constraint: 2, inputs: [dy, weights], attributes: { ...conv, shape: dims([0, 4, 5, 5]) }, dims: [1, 0] },
    { constraint: 3, inputs: [dy, weights], attributes: { ...conv, shape: dims([2, 4, 5]) } },
    { constraint: 3, inputs: [f32(2, 6, 3), weights], attributes: { ...conv, shape } },
    { constraint: 4, inputs: [dy, weights], attributes: { ...conv, groups: 4, shape }, dims: [6, 4], at: [axis(1, 0)] },
    { constraint: 5, inputs: [dy, weights], attributes: { ...conv, shape: dims([2, 5, 5, 5]) }, dims: [5, 4] },
    { constraint: 6, inputs: [dy, weights], attributes: { ...conv, stride: [0, 0], shape } },
    { constraint: 7, inputs: [dy, weights], attributes: { ...conv, shape: dims([2, 4, 2, 5]) }, dims: [3, 2] },
    {
      constraint: 8,
      inputs: [f32(2, 6, 3, 4), weights],
      attributes: { ...conv, shape },
      dims: [4, 3],
      at: [axis(0, 3)],
    },
  ],
  conv2d_dw: [
    { constraint: 1, inputs: [i32(2, 4, 5, 5), dy], attributes: { ...conv, kernel } },
    { constraint: 2, inputs: [image, f32(2, 6, 3)], attributes: { ...conv, kernel } },
    {
      constraint: 3,
      inputs: [image, dy],
      attributes: { ...conv, groups: 3, kernel },
      dims: [4, 3],
      at: [axis(0, 1)],
    },
    { constraint: 4, inputs: [image, dy], attributes: { ...conv, groups: 0.5, kernel } },
    { constraint: 4, inputs: [image, dy], attributes: { ...conv, groups: 4, kernel }, dims: [6, 4] },
    { constraint: 5, inputs: [image, dy], attributes: { ...conv, stride: [0, 0], kernel } },
    { constraint: 5, inputs: [image, dy], attributes: { ...conv, kernel: [0, 3] }, dims: [1, 0] },
    { constraint: 6, inputs: [image, dy], attributes: { ...conv, kernel: [6, 3] }, dims: [6, 5], at: [axis(0, 2)] },
    {
      constraint: 7,
      inputs: [image, f32(2, 6, 2, 3)],
      attributes: { ...conv, kernel },
      dims: [2, 3],
      at: [axis(1, 2)],
    },
  ],
  mean: axesFaults('float'),
  softmax: axisFaults,
  log_softmax: axisFaults,
  layer_norm: [
    { constraint: 1, inputs: [i32(2), f32(2), f32(2)], attributes: { eps: 0 } },
    { constraint: 1, inputs: [f32(2), f32(2), i32(2)], attributes: { eps: 0 } },
    { constraint: 2, inputs: [f32(), f32(2), f32(2)], attributes: { eps: 0 } },
    { constraint: 2, inputs: [f32(2), f32(1, 2), f32(2)], attributes: { eps: 0 } },
    { constraint: 3, inputs: [f32(2), f32(2), f32(2)], attributes: { eps: -1 } },
    {
      constraint: 4,
      inputs: [f32(4, 2), f32(2), f32(3)],
      attributes: { eps: 0 },
      dims: [2, 3],
      at: [axis(0, 1), axis(2, 0)],
    },
  ],
  gelu: [{ constraint: 1, inputs: [i32(2)], attributes: { approximate: false } }],
  max_pool2d: [
    { constraint: 1, inputs: [i32(1, 1, 4, 4)], attributes: pool },
    { constraint: 2, inputs: [f32(1, 4, 4)], attributes: pool },
    { constraint: 3, inputs: [f32(1, 1, 4, 4)], attributes: { ...pool, stride: [1, 0] } },
    { constraint: 3, inputs: [f32(1, 1, 4, 4)], attributes: { ...pool, kernel: [1.5, 2] } },
    { constraint: 3, inputs: [f32(1, 1, 4, 4)], attributes: { ...pool, kernel: [0, 2] }, dims: [1, 0] },
    { constraint: 4, inputs: [f32(1, 1, 4, 4)], attributes: { ...pool, kernel: [3, 2], pad: [0, 2, 0, 0] } },
    { constraint: 5, inputs: [f32(1, 1, 4, 1)], attributes: pool, dims: [2, 1], at: [axis(0, 3)] },
  ],
  grid_sample: [
    { constraint: 1, inputs: [i32(1, 1, 4, 4), i32(1, 3, 2)], attributes: none },
    { constraint: 2, inputs: [f32(1, 4, 4), f32(1, 3, 2)], attributes: none },
    {
      constraint: 3,
      inputs: [f32(1, 1, 4, 4), f32(2, 3, 2)],
      attributes: none,
      dims: [1, 2],
      at: [axis(0, 0), axis(1, 0)],
    },
    { constraint: 4, inputs: [f32(1, 1, 4, 4), f32(1, 3, 3)], attributes: none, dims: [3, 2], at: [axis(1, 2)] },
  ],
};

describe.each(opNames)('%s', (op) => {
  const row = rowOf(op);
  const cases: readonly Fault<OpName>[] = faults[op];

  test('every numbered constraint has a case', () => {
    expect(new Set(cases.map(({ constraint }) => constraint))).toEqual(new Set(row.constraints.map((_, i) => i + 1)));
  });

  for (const { constraint, inputs, attributes, dims: disagreeing, at } of cases)
    test(`${constraint}. ${row.constraints[constraint - 1]}`, () => {
      const inferred = row.infer(inputs, attributes, Facts.none);
      if (!('fault' in inferred)) throw new Error('well typed');
      const { fault } = inferred;
      expect(fault.constraint).toBe(row.constraints[constraint - 1]);
      if (disagreeing !== undefined) {
        const [left, right] = dims(disagreeing);
        expect([fault.left?.key, fault.right?.key]).toEqual([left!.key, right!.key]);
      }
      if (at !== undefined) expect(fault.at).toEqual(at);
    });
});
