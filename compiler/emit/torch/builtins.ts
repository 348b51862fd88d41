import { parseArrow, parseAxes, parseEinsum, parseStarred } from '../../elaborate/patterns/pattern.ts';
import {
  argument,
  asFloat,
  type BuiltinCall,
  callTorch,
  dtypeOf,
  elementOf,
  functional,
  made,
  madeBy,
  madeList,
  optionalArgument,
  patternOf,
  rankOf,
  refused,
  sizesOf,
  torch,
} from './builtin-call.ts';
import { either, float, given, int, isTensor, type Kind, listOf, tensor } from './kinds.ts';
import { arranged, einsum, placeOf } from './patterns.ts';
import {
  atom,
  attribute,
  binary,
  call,
  list,
  method,
  negative,
  number,
  type Py,
  subscript,
  tuple,
} from './python/tree.ts';
import type { Value } from './scope.ts';

/** A built-in function in PyTorch. */
export interface TorchBuiltin {
  readonly write: (cx: BuiltinCall) => Value;
  /** The function as a value, such as an activation that is passed on. */
  readonly value?: Py;
}

/** `method`: of a tensor; `math`: the same of a number. */
function unary(
  name: string,
  write: (x: Value) => Py,
  options: { readonly value?: Py; readonly math?: string } = {},
): TorchBuiltin {
  return {
    value: options.value ?? torch(name),
    write(cx) {
      const x = argument(cx, 'x');
      if (isTensor(x.kind)) return madeBy(x, write(x), rankOf(x.kind));
      if (options.math === undefined) return refused(cx, `take ${name} of a number`);
      return { py: call(options.math, [x.py]), kind: name === 'abs' ? x.kind : float, any: false };
    },
  };
}

const byMethod = (name: string, math?: string) =>
  unary(name, (x) => method(x.py, name, []), math === undefined ? {} : { math });
const byFunctional = (name: string) => {
  const value = functional(name);
  return { ...unary(name, (x) => call(value, [x.py]), { value }) };
};

function extremum(name: 'max' | 'min'): TorchBuiltin {
  const bound = name === 'max' ? 'min' : 'max';
  return {
    write(cx) {
      const values = cx.positional.map((one) => cx.scope.translate(one));
      const [first, ...others] = values;
      if (!first) return refused(cx, `take ${name} of nothing`);
      if (values.every(({ kind }) => !isTensor(kind))) {
        const kind =
          others.length === 0 ? elementOf(first.kind) : values.reduce((k: Kind, one) => either(k, one.kind), int);
        return {
          py: call(
            name,
            values.map(({ py }) => py),
          ),
          kind,
          any: false,
        };
      }
      return others.reduce((a, b) => {
        const rank = widest(a, b);
        if (!isTensor(b.kind)) return madeBy(a, method(a.py, 'clamp', [], { [bound]: b.py }), rank);
        if (!isTensor(a.kind)) return madeBy(b, method(b.py, 'clamp', [], { [bound]: a.py }), rank);
        return made(callTorch(name === 'max' ? 'maximum' : 'minimum', [a.py, b.py]), rank, dtypeOf(a.kind));
      }, first);
    },
  };
}

/** The rank of what two values broadcast to. */
export function widest(a: Value, b: Value): number | undefined {
  const ranks = [a, b].map(({ kind }) => (isTensor(kind) ? rankOf(kind) : 0));
  return ranks.some((rank) => rank === undefined) ? undefined : Math.max(...ranks.map((rank) => rank ?? 0));
}

/** Rounds down or up; of a quotient of ints or i32 tensors, the quotient. */
function rounding(name: 'floor' | 'ceil'): TorchBuiltin {
  return {
    value: torch(name),
    write(cx) {
      const expr = cx.args.get('x');
      if (expr?.kind === 'binary' && expr.op === '/') {
        const [a, b] = [cx.scope.translate(expr.left), cx.scope.translate(expr.right)];
        const whole = (one: Value) => given(one.kind).kind === 'int' || dtypeOf(one.kind) === 'i32';
        if (whole(a) && whole(b)) {
          const down = name === 'floor' ? binary('//', a.py, b.py) : negative(binary('//', negative(a.py), b.py));
          return { py: down, kind: isTensor(a.kind) ? a.kind : int, any: a.any };
        }
      }
      const x = argument(cx, 'x');
      if (isTensor(x.kind)) return madeBy(x, method(x.py, name, []), rankOf(x.kind));
      return { py: call(`math.${name}`, [x.py]), kind: int, any: false };
    },
  };
}

function converted(dtype: 'f32' | 'i32' | 'bool'): TorchBuiltin {
  const methods = { f32: 'float', i32: 'long', bool: 'bool' } as const;
  return {
    write(cx) {
      const x = argument(cx, 'x');
      if (isTensor(x.kind))
        return dtypeOf(x.kind) === dtype ? x : madeBy(x, method(x.py, methods[dtype], []), rankOf(x.kind), dtype);
      if (dtype === 'f32')
        return { py: x.kind.kind === 'float' ? x.py : call('float', [x.py]), kind: float, any: false };
      return dtype === 'i32' ? { py: call('int', [x.py]), kind: int, any: false } : refused(cx, 'convert this to bool');
    },
  };
}

function rearranging(): TorchBuiltin {
  return {
    write(cx) {
      const arrow = patternOf(cx, parseArrow);
      const x = argument(cx, 'x');
      if (!arrow) return x;
      const found = arranged(x.py, arrow.left, arrow.right, sizesOf(cx), undefined);
      return 'refused' in found
        ? refused(cx, found.refused)
        : { ...madeBy(x, found.py, found.rank), any: x.any || isUntyped(found.py) };
    },
  };
}

function reducing(name: 'sum' | 'mean' | 'amax'): TorchBuiltin {
  return {
    write(cx) {
      const x = argument(cx, 'x');
      if (!cx.args.has('pattern')) {
        const of = elementOf(x.kind);
        if (isTensor(of)) return made(method(callTorch('stack', [x.py]), name, [number(0)]), rankOf(of));
        if (name === 'amax') return { py: call('max', [x.py]), kind: of, any: false };
        const total = call('sum', [x.py]);
        return name === 'sum'
          ? { py: total, kind: of, any: false }
          : { py: binary('/', total, call('len', [x.py])), kind: float, any: false };
      }
      const arrow = patternOf(cx, parseArrow);
      if (!arrow) return x;
      const found = arranged(x.py, arrow.left, arrow.right, sizesOf(cx), name);
      return 'refused' in found
        ? refused(cx, found.refused)
        : { ...madeBy(x, found.py, found.rank), any: x.any || isUntyped(found.py) };
    },
  };
}

/** Whether a chain of methods has one that PyTorch declares without types. */
function isUntyped(py: Py): boolean {
  if (py.kind === 'subscript') return isUntyped(py.of);
  if (py.kind !== 'call' || py.callee.kind !== 'attribute') return false;
  return py.callee.name === 'unflatten' || isUntyped(py.callee.of);
}

/** `concat`, `stack` and `split`, along the starred axis. */
function starred(cx: BuiltinCall): number | undefined {
  const pattern = patternOf(cx, parseStarred);
  if (!pattern) return undefined;
  return placeOf(
    pattern.axes.map((axis) => (axis.kind === 'rest' ? '...' : axis.kind)),
    pattern.star,
  );
}

function joining(name: 'cat' | 'stack'): TorchBuiltin {
  return {
    write(cx) {
      const xs = argument(cx, 'xs');
      const dim = starred(cx);
      if (dim === undefined) return xs;
      const of = elementOf(xs.kind);
      const rank = rankOf(of);
      const joined = rank === undefined || name === 'cat' ? rank : rank + 1;
      return made(callTorch(name, [xs.py], { dim: number(dim) }), joined, dtypeOf(of));
    },
  };
}

function normalised(name: 'softmax' | 'log_softmax'): TorchBuiltin {
  return {
    write(cx) {
      const x = argument(cx, 'x');
      const dim = cx.args.has('pattern') ? starred(cx) : -1;
      return madeBy(x, method(x.py, name, [], { dim: number(dim ?? -1) }), rankOf(x.kind));
    },
  };
}

/** Named amounts of axes, by the axes' positions. */
function amounts(cx: BuiltinCall): { readonly places: ReadonlyMap<number, Value>; readonly rank: number } | undefined {
  const axes = patternOf(cx, parseAxes);
  if (!axes) return undefined;
  if (axes.hasRest) return void refused(cx, 'name axes beside axes without names');
  const places = new Map<number, Value>();
  for (const [i, axis] of axes.axes.entries()) {
    const expr = axis.kind === 'name' ? cx.rest.get(axis.name) : undefined;
    if (expr) places.set(i, cx.scope.translate(expr));
  }
  return { places, rank: axes.axes.length };
}

const padding: TorchBuiltin = {
  write(cx) {
    const x = argument(cx, 'x');
    const named = amounts(cx);
    if (!named) return x;
    const pads: Py[] = [];
    for (let i = named.rank - 1; i >= Math.min(...named.places.keys()); i--) {
      const amount = named.places.get(i);
      if (!amount) pads.push(number(0), number(0));
      else if (amount.py.kind === 'list' || amount.py.kind === 'tuple') pads.push(...amount.py.items);
      else pads.push(amount.py, amount.py);
    }
    const value = optionalArgument(cx, 'value');
    const py = call(functional('pad'), [x.py, tuple(pads)], { value: value?.py });
    return made(py, rankOf(x.kind), dtypeOf(x.kind));
  },
};

const rolling: TorchBuiltin = {
  write(cx) {
    const x = argument(cx, 'x');
    const named = amounts(cx);
    if (!named) return x;
    const shifts = [...named.places.values()].map(({ py }) => py);
    const dims = [...named.places.keys()].map(number);
    const [shift, second] = shifts;
    const [dim] = dims;
    if (!shift || !dim) return x;
    const args = second ? [tuple(shifts), tuple(dims)] : [shift, dim];
    return madeBy(x, method(x.py, 'roll', args), rankOf(x.kind));
  },
};

/** The sizes of a shape as separate arguments. */
function shapeOf({ py }: Value): readonly Py[] {
  return py.kind === 'list' || py.kind === 'tuple' ? py.items : [{ kind: 'starred', operand: py }];
}

const boolDtype = atom('torch.bool');

const filled: TorchBuiltin = {
  write(cx) {
    const value = argument(cx, 'value');
    const shape = argument(cx, 'shape');
    const device = cx.scope.device(cx.span);
    const rank = shape.py.kind === 'list' ? shape.py.items.length : undefined;
    const isBool = value.kind.kind === 'bool';
    const dtype = isBool ? boolDtype : undefined;
    const text = value.py.kind === 'atom' ? value.py.text : '';
    const named = { dtype, device };
    if (isTensor(value.kind)) return refused(cx, 'fill a shape with a tensor');
    const py = /^(0(\.0)?|False)$/.test(text)
      ? callTorch('zeros', shapeOf(shape), named)
      : /^(1(\.0)?|True)$/.test(text)
        ? callTorch('ones', shapeOf(shape), named)
        : callTorch('full', [tuple(shapeOf(shape)), asFloat(value.py)], named);
    return made(py, rank, isBool ? 'bool' : 'f32');
  },
};

/** Every built-in function of the language. */
export const torchBuiltins: Readonly<Record<string, TorchBuiltin>> = {
  floor: rounding('floor'),
  ceil: rounding('ceil'),
  neg: unary('neg', (x) => negative(x.py)),
  abs: byMethod('abs', 'abs'),
  exp: byMethod('exp', 'math.exp'),
  log: byMethod('log', 'math.log'),
  sqrt: byMethod('sqrt', 'math.sqrt'),
  sin: byMethod('sin', 'math.sin'),
  cos: byMethod('cos', 'math.cos'),
  tanh: byMethod('tanh', 'math.tanh'),
  erf: byMethod('erf'),
  sigmoid: byMethod('sigmoid'),
  softplus: byFunctional('softplus'),
  relu: byFunctional('relu'),
  max: extremum('max'),
  min: extremum('min'),
  select: {
    write(cx) {
      const [condition, a, b] = ['condition', 'a', 'b'].map((name) => argument(cx, name));
      if (!condition || !a || !b) return refused(cx, 'select without arguments');
      const whole = [a, b].every(({ kind }) => kind.kind === 'int' || dtypeOf(kind) === 'i32');
      const dtype = isTensor(a.kind) ? dtypeOf(a.kind) : isTensor(b.kind) ? dtypeOf(b.kind) : whole ? 'i32' : 'f32';
      const ranks = [widest(condition, a), widest(condition, b)];
      const rank = ranks.includes(undefined) ? undefined : Math.max(...ranks.map((one) => one ?? 0));
      return made(callTorch('where', [condition.py, a.py, b.py]), rank, dtype);
    },
  },
  f32: converted('f32'),
  i32: converted('i32'),
  bool: converted('bool'),
  stop_gradient: unary('stop_gradient', (x) => method(x.py, 'detach', [])),
  vector: {
    write(cx) {
      const values = cx.positional.map((one) => cx.scope.translate(one));
      const named = { dtype: atom('torch.float32'), device: cx.scope.device(cx.span) };
      return made(callTorch('tensor', [list(values.map(({ py }) => py))], named), 1);
    },
  },
  conv2d: {
    write(cx) {
      const x = argument(cx, 'x');
      const weight = argument(cx, 'weight');
      const [stride, padding, dilation, groups] = ['stride', 'padding', 'dilation', 'groups'].map(
        (name) => optionalArgument(cx, name)?.py,
      );
      const pads = optionalArgument(cx, 'padding');
      if (pads?.kind.kind === 'list' && pads.py.kind !== 'list') {
        const wider = call('padded', [x.py, pads.py]);
        return made(call(functional('conv2d'), [wider, weight.py], { stride, dilation, groups }), 4);
      }
      if (padding?.kind !== 'list' || padding.items.length !== 4)
        return made(call(functional('conv2d'), [x.py, weight.py], { stride, padding, dilation, groups }), 4);
      const [top, left, bottom, right] = padding.items;
      const sides = [left, right, top, bottom].flatMap((one) => (one ? [one] : []));
      const padded = call(functional('pad'), [x.py, tuple(sides)]);
      return made(call(functional('conv2d'), [padded, weight.py], { stride, dilation, groups }), 4);
    },
  },
  max_pool2d: {
    write(cx) {
      const x = argument(cx, 'x');
      const [kernel, stride, padding] = ['kernel', 'stride', 'padding'].map((name) => optionalArgument(cx, name)?.py);
      if (!kernel) return refused(cx, 'pool without a kernel');
      const amounts = optionalArgument(cx, 'padding');
      if (amounts?.kind.kind === 'list' && amounts.py.kind !== 'list') {
        const wider = call('padded', [x.py, amounts.py, negative(atom('math.inf'))]);
        return made(call(functional('max_pool2d'), [wider, kernel], { stride }), 4);
      }
      if (padding?.kind === 'list' && padding.items.length === 4) {
        const [top, left, bottom, right] = padding.items;
        const pads = [left, right, top, bottom].flatMap((one) => (one ? [one] : []));
        const lowest = negative(atom('math.inf'));
        const padded = call(functional('pad'), [x.py, tuple(pads)], { value: lowest });
        return made(call(functional('max_pool2d'), [padded, kernel], { stride }), 4);
      }
      return made(call(functional('max_pool2d'), [x.py, kernel], { stride, padding }), 4);
    },
  },
  matmul: {
    write(cx) {
      const [a, b] = [argument(cx, 'a'), argument(cx, 'b')];
      const ranks = [rankOf(a.kind), rankOf(b.kind)];
      const rank = ranks.every((one) => one !== undefined && one >= 2) ? widest(a, b) : undefined;
      return made(callTorch('matmul', [a.py, b.py]), rank);
    },
  },
  layer_norm: {
    write(cx) {
      const [x, weight, bias] = [argument(cx, 'x'), argument(cx, 'weight'), argument(cx, 'bias')];
      const eps = optionalArgument(cx, 'eps')?.py;
      const shape = attribute(weight.py, 'shape');
      return made(call(functional('layer_norm'), [x.py, shape, weight.py, bias.py], { eps }), rankOf(x.kind));
    },
  },
  gelu: {
    value: functional('gelu'),
    write(cx) {
      const x = argument(cx, 'x');
      const approximate = optionalArgument(cx, 'approximate');
      const isTanh = approximate?.py.kind === 'atom' && approximate.py.text === 'True';
      if (approximate && approximate.kind.kind === 'string')
        return made(call(functional('gelu'), [x.py], { approximate: approximate.py }), rankOf(x.kind));
      if (approximate && !isTanh && !(approximate.py.kind === 'atom' && approximate.py.text === 'False'))
        return refused(cx, 'choose the approximation of gelu by a computed value');
      return made(
        call(functional('gelu'), [x.py], { approximate: isTanh ? atom('"tanh"') : undefined }),
        rankOf(x.kind),
      );
    },
  },
  grid_sample: {
    write(cx) {
      const [x, px] = [argument(cx, 'x'), argument(cx, 'px')];
      return made(call('grid_sample', [x.py, px.py]), 3);
    },
  },
  top_k: {
    write(cx) {
      const [x, k] = [argument(cx, 'x'), argument(cx, 'k')];
      const rank = rankOf(x.kind);
      const items = [
        { name: 'value', attribute: 'values', of: tensor('f32', rank) },
        { name: 'index', attribute: 'indices', of: tensor('i32', rank) },
      ];
      return {
        py: method(x.py, 'topk', [k.py]),
        kind: { kind: 'tuple', name: 'torch.return_types.topk', items },
        any: true,
      };
    },
  },
  gather: {
    write(cx) {
      return rowsOf(argument(cx, 'table'), argument(cx, 'index'));
    },
  },
  scatter_add: {
    write(cx) {
      const [index, updates, rows] = [argument(cx, 'index'), argument(cx, 'updates'), argument(cx, 'rows')];
      const depth = rankOf(index.kind);
      if (depth === undefined) return refused(cx, 'add to rows by an index of unknown rank');
      const tail = subscript(attribute(updates.py, 'shape'), { kind: 'slice', start: number(depth), stop: undefined });
      const zeros = method(updates.py, 'new_zeros', [rows.py, { kind: 'starred', operand: tail }]);
      const flat = depth === 1 ? updates.py : method(updates.py, 'flatten', [number(0), number(depth - 1)]);
      const places = depth === 1 ? index.py : method(index.py, 'flatten', []);
      const rank = rankOf(updates.kind);
      return made(method(zeros, 'index_add', [number(0), places, flat]), rank === undefined ? rank : rank - depth + 1);
    },
  },
  full: filled,
  iota: {
    write(cx) {
      const n = argument(cx, 'n');
      return made(callTorch('arange', [n.py], { device: cx.scope.device(cx.span) }), 1, 'i32');
    },
  },
  uniform: {
    write(cx) {
      const shape = argument(cx, 'shape');
      if (isTensor(shape.kind)) return made(callTorch('rand_like', [shape.py]), rankOf(shape.kind));
      const rank = shape.py.kind === 'list' ? shape.py.items.length : undefined;
      return made(callTorch('rand', shapeOf(shape), { device: cx.scope.device(cx.span) }), rank);
    },
  },
  len: {
    write(cx) {
      return { py: call('len', [argument(cx, 'xs').py]), kind: int, any: false };
    },
  },
  range: {
    write(cx) {
      return { py: call('list', [call('range', [argument(cx, 'n').py])]), kind: listOf(int), any: false };
    },
  },
  float: {
    write(cx) {
      return { py: call('float', [argument(cx, 'n').py]), kind: float, any: false };
    },
  },
  size: {
    write(cx) {
      const [x, axis] = [argument(cx, 'x'), argument(cx, 'axis')];
      return { py: subscript(attribute(x.py, 'shape'), axis.py), kind: int, any: x.any };
    },
  },
  refuse: {
    write(cx) {
      return refused(cx, 'stop in an expression: write a `where`');
    },
  },
  rearrange: rearranging(),
  repeat: rearranging(),
  sum: reducing('sum'),
  mean: reducing('mean'),
  amax: reducing('amax'),
  concat: joining('cat'),
  stack: joining('stack'),
  split: {
    write(cx) {
      const [x, sizes] = [argument(cx, 'x'), argument(cx, 'sizes')];
      const dim = starred(cx);
      const given = sizes.py.kind === 'list' ? sizes.py : call('list', [sizes.py]);
      const parts = sizes.py.kind === 'comprehension' ? sizes.py : given;
      const py = method(x.py, 'split', [parts], { dim: number(dim ?? 0) });
      // PyTorch declares the method without types.
      return madeList({ ...x, any: true }, py, tensor(dtypeOf(x.kind), rankOf(x.kind)));
    },
  },
  pad: padding,
  roll: rolling,
  einsum: {
    write(cx) {
      const pattern = patternOf(cx, parseEinsum);
      const operands = cx.positional.slice(1).map((one) => cx.scope.translate(one));
      if (!pattern) return refused(cx, 'take an einsum without a pattern');
      const found = einsum(
        operands.map(({ py }) => py),
        pattern.operands,
        pattern.result,
      );
      return 'refused' in found ? refused(cx, found.refused) : made(found.py, found.rank);
    },
  },
  softmax: normalised('softmax'),
  log_softmax: normalised('log_softmax'),
};

/** Rows of a table; a negative or too large number is an error, as in crob. */
export function rowsOf(table: Value, index: Value): Value {
  const tableRank = rankOf(table.kind);
  const indexRank = rankOf(index.kind);
  const rank = tableRank === undefined || indexRank === undefined ? undefined : tableRank + indexRank - 1;
  if (tableRank === 2) return made(call(functional('embedding'), [index.py, table.py]), rank);
  const rows = method(table.py, 'index_select', [
    number(0),
    indexRank === 1 ? index.py : method(index.py, 'flatten', []),
  ]);
  if (indexRank === 1) return made(rows, rank, dtypeOf(table.kind));
  return made(method(rows, 'unflatten', [number(0), attribute(index.py, 'shape')]), rank, dtypeOf(table.kind));
}
