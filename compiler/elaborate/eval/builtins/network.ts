import { constant as dimConstant, one } from '../../../dims/dim.ts';
import { andThen, type Builder, type Emitted } from '../../../graphs/builder.ts';
import type { Value } from '../../../ir/graph.ts';
import type { DType } from '../../../ir/types.ts';
import { pairs } from '../../../lists.ts';
import type { Val } from '../../context/elaborated.ts';
import { asInt, dimVal, error, list } from '../../context/values.ts';
import { unknownCount } from '../../report/counts.ts';
import { fail, guarded, noNames } from '../../report/report.ts';
import { scalar } from '../arithmetic.ts';
import { knownInt } from '../known-sizes.ts';
import { withRows } from '../row-numbers.ts';
import {
  type Builtin,
  type BuiltinCall,
  boolArg,
  dimArg,
  dimsArg,
  intArg,
  numberArg,
  operator,
  pairArg,
  stringArg,
  tensorArg,
  valueArg,
  wanted,
} from './builtin.ts';

/** Reads four paddings from an int, a pair (height, width) or [top, left, bottom, right]; zeros if not given. */
function paddingArg(cx: BuiltinCall, name: string): readonly [number, number, number, number] | undefined {
  const given = cx.args.get(name)?.value;
  if (given?.kind === 'list' && given.items.length === 4) {
    const [top, left, bottom, right] = given.items.map(asInt);
    if (top !== undefined && left !== undefined && bottom !== undefined && right !== undefined)
      return [top, left, bottom, right];
  }
  const pair = pairArg(cx, name, 0);
  return pair && [pair[0], pair[1], pair[0], pair[1]];
}

/** Checks the minimum of each attribute; reports the first that is too small. */
function atLeast(cx: BuiltinCall, checks: readonly (readonly [string, readonly number[], number])[]): boolean {
  return checks.every(([name, values, least]) => {
    if (values.every((n) => n >= least)) return true;
    fail(cx.scope, 'CROB2115', cx.args.get(name)?.span ?? cx.span, {
      op: cx.name,
      constraint: `${name} is at least ${least}`,
    });
    return false;
  });
}

const conv2d = operator('conv2d', {
  params: ['x', 'weight', 'stride?', 'padding?', 'dilation?', 'groups?'],
  docs: 'Convolution of x[B, C, H, W] with weight[O, C/groups, h, w], without a bias. `stride` and `dilation` are an int or a pair (height, width), by default 1; `padding` is an int, a pair, or [top, left, bottom, right], by default 0.',
  args: {
    x: tensorArg,
    weight: tensorArg,
    stride: (cx, name) => pairArg(cx, name, 1),
    padding: paddingArg,
    dilation: (cx, name) => pairArg(cx, name, 1),
    groups: (cx, name) => intArg(cx, name, 1),
  },
  check: (cx, { stride, dilation, padding, groups }) =>
    atLeast(cx, [
      ['stride', stride, 1],
      ['dilation', dilation, 1],
      ['padding', padding, 0],
      ['groups', [groups], 1],
    ]),
  label: ({ stride }) => (stride[0] === 1 ? 'conv2d' : `conv2d stride ${stride[0]}`),
  emit: (build, { x, weight, stride, padding, dilation, groups }) =>
    build.tryEmit('conv2d', [x, weight], { stride, pad: padding, dilation, groups }),
});

const maxPool = operator('max_pool2d', {
  params: ['x', 'kernel', 'stride?', 'padding?'],
  docs: 'Maximum over windows of x[B, C, H, W]. `kernel` and `stride` are an int or a pair (height, width), and the stride is by default the kernel; `padding` is an int, a pair, or [top, left, bottom, right], by default 0.',
  args: {
    x: tensorArg,
    kernel: (cx, name) => pairArg(cx, name, 1),
    stride: (cx, name) => (cx.args.has(name) ? pairArg(cx, name, 1) : null),
    padding: paddingArg,
  },
  check: (cx, { kernel, stride, padding }) =>
    atLeast(cx, [
      ['kernel', kernel, 1],
      ['stride', stride ?? kernel, 1],
      ['padding', padding, 0],
    ]),
  emit: (build, { x, kernel, stride, padding }) =>
    build.tryEmit('max_pool2d', [x], { kernel, stride: stride ?? kernel, pad: padding }),
});

const matmul = operator('matmul', {
  params: ['a', 'b'],
  docs: 'Matrix product over the last two axes; leading axes broadcast. A vector is a row on the left and a column on the right.',
  args: { a: tensorArg, b: tensorArg },
  emit: (build, { a, b }) => product(build, a, b),
});

/** Matrix product; as in NumPy, the axis that is added to a vector to make it a matrix is removed from the result. */
function product(build: Builder, a: Value, b: Value): Emitted {
  const [row, column] = [a.type.shape, b.type.shape].map((shape) => (shape.length === 1 ? shape[0] : undefined));
  if (row === undefined && column === undefined) return build.tryEmit('matmul', [a, b], {});
  const left = row === undefined ? a : build.reshape(a, [one, row]);
  const right = column === undefined ? b : build.reshape(b, [column, one]);
  return andThen(build.tryEmit('matmul', [left, right], {}), (full) => {
    const rank = full.type.shape.length;
    const kept = full.type.shape.filter(
      (_, axis) => !(row !== undefined && axis === rank - 2) && !(column !== undefined && axis === rank - 1),
    );
    return build.tryEmit('reshape', [full], { shape: kept });
  });
}

const layerNorm = operator('layer_norm', {
  params: ['x', 'weight', 'bias', 'eps?'],
  docs: 'Normalises the last axis to mean 0 and variance 1, then scales and shifts.',
  args: { x: tensorArg, weight: tensorArg, bias: tensorArg, eps: (cx, name) => numberArg(cx, name, 1e-5) },
  emit: (build, { x, weight, bias, eps }) => build.tryEmit('layer_norm', [x, weight, bias], { eps }),
});

const gelu = operator('gelu', {
  params: ['x', 'approximate?'],
  docs: 'Gaussian error linear unit, exact or by tanh.',
  args: { x: tensorArg, approximate: (cx, name) => boolArg(cx, name, false) },
  emit: (build, { x, approximate }) => build.tryEmit('gelu', [x], { approximate }),
});

const gridSample = operator('grid_sample', {
  params: ['x', 'px'],
  docs: 'Bilinear samples of x[B, C, H, W] at px[B, P, 2] pixels (x before y, 0 is the first pixel’s centre), zeros outside: [B, C, P].',
  args: { x: tensorArg, px: tensorArg },
  emit: (build, { x, px }) => build.tryEmit('grid_sample', [x, px], {}),
});

const topK: Builtin = {
  name: 'top_k',
  params: ['x', 'k'],
  docs: 'The k largest along the last axis, descending: `(value, index)`.',
  call(cx) {
    const x = tensorArg(cx, 'x');
    const k = intArg(cx, 'k');
    if (!x || k === undefined || !atLeast(cx, [['k', [k], 1]])) return error;
    const made = guarded(cx.scope, cx.span, 'top_k', cx.texts, (build) => build.tryEmit('topk', [x], { k }));
    if (made.kind !== 'list') return made;
    return { kind: 'tuple', items: new Map(pairs(['value', 'index'], made.items)) };
  },
};

const gather: Builtin = {
  name: 'gather',
  params: ['table', 'index'],
  docs: 'Rows of table[N, ...] by index: i32[...].',
  call(cx) {
    const table = tensorArg(cx, 'table');
    const index = tensorArg(cx, 'index');
    if (!table || !index) return error;
    const make = (build: Builder) => build.tryEmit('gather', [table, asIndex(build, index)], {});
    return withRows(cx.scope, guarded(cx.scope, cx.span, 'gather', cx.texts, make), cx.args.get('index'), cx.texts);
  },
};

/** Casts an i64 index to i32: token inputs are i64, indices in a graph are i32. */
function asIndex(build: Builder, index: Value): Value {
  return index.type.dtype === 'i64' ? build.cast(index, 'i32') : index;
}

const scatterAdd: Builtin = {
  name: 'scatter_add',
  params: ['index', 'updates', 'rows'],
  docs: 'A tensor of `rows` rows of zeros, to which the updates are added at their indices.',
  call(cx) {
    const index = tensorArg(cx, 'index');
    const updates = tensorArg(cx, 'updates');
    const rows = dimArg(cx, 'rows');
    if (!index || !updates || !rows) return error;
    const make = (build: Builder) => build.tryEmit('scatter_add', [index, updates], { rows, apart: false });
    const made = guarded(cx.scope, cx.span, 'scatter_add', cx.texts, make);
    return withRows(cx.scope, made, cx.args.get('index'), cx.texts);
  },
};

const full: Builtin = {
  name: 'full',
  params: ['value', 'shape'],
  docs: 'A tensor of the given shape, filled with one value: bool for a bool, the dtype of a tensor, and otherwise f32.',
  call(cx) {
    const shape = dimsArg(cx, 'shape');
    const given = valueArg(cx, 'value');
    if (!shape) return error;
    const dtype: DType = given.kind === 'bool' ? 'bool' : given.kind === 'tensor' ? given.value.type.dtype : 'f32';
    const value = scalar(cx.scope, given, dtype, cx.span);
    if (value.kind !== 'tensor') return error;
    const { node } = value.value;
    return guarded(cx.scope, cx.span, 'full', noNames, (build) => {
      return node.op === 'full'
        ? build.tryEmit('full', [], { value: node.attributes.value, dtype: node.attributes.dtype, shape })
        : build.tryEmit('broadcast', [value.value], { shape });
    });
  },
};

const iota = operator('iota', {
  params: ['n'],
  docs: 'i32[n]: 0, 1, …, n - 1.',
  args: { n: dimArg },
  emit: (build, { n }) => build.tryEmit('iota', [], { n }),
});

const uniform: Builtin = {
  name: 'uniform',
  params: ['shape'],
  docs: 'Random numbers in [0, 1), drawn for each step from the seed, the path of the module and the position of this draw. For a tensor, its shape is used.',
  call(cx) {
    const like = cx.args.get('shape')?.value;
    const shape = like?.kind === 'tensor' ? like.value.type.shape : dimsArg(cx, 'shape');
    if (!shape) return error;
    const { training, reads } = cx.scope.context;
    reads.push({ kind: 'training', value: training });
    if (!training) return fail(cx.scope, 'CROB2226', cx.span, {});
    const draws = cx.scope.graph?.build.nodes.filter((node) => node.op === 'uniform').length ?? 0;
    return guarded(cx.scope, cx.span, 'uniform', noNames, (build) =>
      build.tryEmit('uniform', [], { shape, key: String(draws) }),
    );
  },
};

const len: Builtin = {
  name: 'len',
  params: ['xs'],
  docs: 'The number of items of a list.',
  call(cx) {
    const xs = valueArg(cx, 'xs');
    return xs.kind === 'list' ? dimVal(dimConstant(xs.items.length)) : (wanted(cx, 'xs', 'a list') ?? error);
  },
};

const range: Builtin = {
  name: 'range',
  params: ['n'],
  docs: 'The ints from 0 to n - 1.',
  more: '`a..b` counts from a to b - 1, behind `in` and in an index',
  call(cx) {
    const given = cx.args.get('n')?.value;
    if (given?.kind === 'dim' && knownInt(cx.scope, given) === undefined)
      return unknownCount(cx.scope, given.dim, cx.span);
    const n = intArg(cx, 'n');
    if (n === undefined) return error;
    if (n > 4096) return fail(cx.scope, 'CROB2204', cx.span, { count: n, limit: 4096 });
    return list(Array.from({ length: Math.max(0, n) }, (_, i) => dimVal(dimConstant(i))));
  },
};

const float: Builtin = {
  name: 'float',
  params: ['n'],
  docs: 'A static int as a float.',
  call(cx) {
    const n = numberArg(cx, 'n');
    return n === undefined ? error : { kind: 'float', value: n };
  },
};

/** `size(x, 2)`: the size of an axis, as a dim. */
const size: Builtin = {
  name: 'size',
  params: ['x', 'axis'],
  docs: 'The size of an axis, counted from 0.',
  call(cx): Val {
    const x = tensorArg(cx, 'x');
    const axis = intArg(cx, 'axis');
    if (!x || axis === undefined) return error;
    const d = x.type.shape[axis];
    return d
      ? dimVal(d)
      : fail(cx.scope, 'CROB2209', cx.args.get('axis')?.span ?? cx.span, {
          noun: 'axis',
          index: axis,
          length: x.type.shape.length,
        });
  },
};

/** Reports a compile-time message; for library conditions that a `where` cannot express. */
const refuse: Builtin = {
  name: 'refuse',
  params: ['message'],
  docs: 'Stops the check with the given message.',
  call(cx) {
    const message = stringArg(cx, 'message');
    return message === undefined ? error : fail(cx.scope, 'CROB2223', cx.span, { message });
  },
};

export const network: readonly Builtin[] = [
  conv2d,
  maxPool,
  matmul,
  layerNorm,
  gelu,
  gridSample,
  topK,
  gather,
  scatterAdd,
  full,
  iota,
  uniform,
  len,
  range,
  float,
  size,
  refuse,
];
