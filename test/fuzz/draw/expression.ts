import { binary, compare, expr, full, num, ref, sameType, tensor, unary } from '../program/build.ts';
import { asNumber, minus, named, one, plus, type Size, size, sizeAt, times } from '../program/size.ts';
import type { BinaryName, CompareName, Condition, Expr, Range, Side, Type, UnaryName } from '../program/tree.ts';
import { drawCall } from './calls.ts';
import { addInput, fresh, isStatic, type Scope, visible } from './scope.ts';

type Rule = (scope: Scope, type: Type, deep: number) => Expr | undefined;

/** An expression of a type, at most `deep` operations deep except for what a leaf takes. */
export function drawExpr(scope: Scope, type: Type, deep: number): Expr {
  const { library } = scope;
  const { draw } = library;
  library.budget--;
  if (deep <= 0 || library.budget <= 0) return leaf(scope, type);
  if (library.trains && draw.once(4)) {
    const call = drawCall(scope, type, deep);
    if (call) return call;
  }
  // Parameters are there to be looked at.
  if (scope.params.length > 0 && draw.once(4)) {
    const looked = draw.of([chooseRule, foldRule])(scope, type, deep);
    if (looked) return looked;
  }
  const rules = rulesOf[type.dtype];
  for (let tries = 0; tries < 6; tries++) {
    const found = draw.of(rules)(scope, type, deep);
    if (!found) continue;
    if (!scope.naming || !draw.once(4)) return found;
    const name = fresh(library, 'v');
    scope.lets.push({ name, value: found });
    return ref(name, type);
  }
  return leaf(scope, type);
}

function leaf(scope: Scope, type: Type): Expr {
  const { draw } = scope.library;
  const fitting = visible(scope).filter((port) => sameType(port.type, type));
  if (fitting.length > 0 && !draw.once(8)) {
    const port = draw.of(fitting);
    return ref(port.name, port.type);
  }
  const made = newName(scope, type);
  return made ?? computed(scope, type);
}

/** A new input or weight. */
function newName(scope: Scope, type: Type): Expr | undefined {
  const { weights, library } = scope;
  const { draw } = library;
  if (type.shape.length > 0 || draw.once(3)) {
    const input = addInput(scope, type);
    if (input) return ref(input.name, type);
  }
  if (weights && type.dtype === 'f32' && type.shape.every(isStatic)) {
    const name = fresh(library, 'w');
    const path = draw.once(6) ? `${name}_as` : undefined;
    weights.push({ name, shape: type.shape, buffer: false, decay: !draw.once(4), path });
    return ref(name, type);
  }
  return undefined;
}

/** From nothing, or from a parameter all of which is summed up. */
function computed(scope: Scope, type: Type): Expr {
  const { draw } = scope.library;
  if (type.dtype === 'bool') return full(type, draw.below(2));
  if (type.dtype === 'i32')
    return type.shape.length === 1 ? expr('iota', type, [], {}) : full(type, draw.of([0, 1, 2, -1]));
  const filled = full(type, draw.of([0, 1, 0.5, -1, 2, -0.25]));
  const floats = scope.ports.filter((port) => port.type.dtype === 'f32');
  if (floats.length === 0) return filled;
  const port = draw.of(floats);
  const all = reduced(
    'mean',
    ref(port.name, port.type),
    port.type.shape.map((_, i) => i),
  );
  return binary('add', filled, all);
}

/** Sum, mean or maximum over some axes, which go. */
export function reduced(how: 'sum' | 'mean' | 'amax', x: Expr, over: readonly number[]): Expr {
  const { shape, dtype } = x.type;
  if (over.length === 0) return x;
  const names = shape.map((_, i) => `n${i}`);
  const kept = names.filter((_, i) => !over.includes(i));
  const type = tensor(
    dtype,
    shape.filter((_, i) => !over.includes(i)),
  );
  return expr('pattern', type, [x], {
    how,
    left: [names.map((name) => [name])],
    right: kept.map((name) => [name]),
    sizes: names.map((name, i) => [name, shape[i] ?? one] as const),
    given: [],
  });
}

const smoothUnary: readonly UnaryName[] = [
  'neg',
  'sin',
  'cos',
  'tanh',
  'erf',
  'sigmoid',
  'softplus',
  'gelu',
  'gelu_tanh',
  'square',
];
const bentUnary: readonly UnaryName[] = ['abs', 'relu', 'relu', 'neg', 'stop_gradient', 'floor'];

const unaryRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const x = drawExpr(scope, type, deep - 1);
  const fn = draw.of(draw.once(2) ? smoothUnary : bentUnary);
  return unary(fn, x);
};

/** Functions that take some numbers only, or grow too fast. */
const guardedRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const x = drawExpr(scope, type, deep - 1);
  switch (draw.below(6)) {
    case 0:
      return unary('exp', binary('min', x, num(draw.of([0, 1, 2]))));
    case 1:
      return unary('exp', unary('neg', unary('abs', x)));
    case 2:
      return unary('log', binary('add', unary('abs', x), num(draw.of([0.5, 1, 2]))));
    case 3:
      return unary('sqrt', binary('add', unary('square', x), num(draw.of([0.25, 1]))));
    case 4:
      return binary('div', x, binary('add', unary('abs', drawExpr(scope, narrower(scope, type), deep - 2)), num(0.5)));
    default:
      return unary('exp', unary('tanh', x));
  }
};

/** The type, or one that broadcasts to it. */
function narrower({ library: { draw } }: Scope, { dtype, shape }: Type): Type {
  if (draw.once(2)) return { dtype, shape };
  const from = draw.below(shape.length + 1);
  return { dtype, shape: shape.slice(from).map((one_) => (draw.once(3) ? one : one_)) };
}

const binaryRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const fn: BinaryName = draw.of(['add', 'sub', 'mul', 'max', 'min', 'add', 'mul'] as const);
  const x = drawExpr(scope, type, deep - 1);
  if (draw.once(4)) {
    const number = num(draw.of([0, 1, -1, 2, 0.5, 3, 0.1]));
    if (draw.once(5)) return binary('div', x, num(draw.of([1, 2, -4, 3, 0.5])));
    return draw.once(2) ? binary(fn, x, number) : withType(binary(fn, number, x), type);
  }
  if (draw.once(6)) return binary(fn, x, x);
  const y = drawExpr(scope, narrower(scope, type), deep - 1);
  const made = draw.once(2) ? binary(fn, x, y) : binary(fn, y, x);
  return withType(made, type);
};

function withType(e: Expr, type: Type): Expr | undefined {
  return sameType(e.type, type) ? e : undefined;
}

/** Two operands of which neither has the whole shape. */
const spreadRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  if (type.shape.length < 2) return undefined;
  const narrow = type.shape.map(() => draw.below(3));
  const side = (which: number) =>
    tensor(
      type.dtype,
      type.shape.map((n, i) => (narrow[i] === which ? one : n)),
    );
  const made = binary(
    draw.of(['add', 'mul', 'max'] as const),
    drawExpr(scope, side(0), deep - 1),
    drawExpr(scope, side(1), deep - 1),
  );
  return withType(made, type);
};

const selectRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const condition = drawExpr(scope, { ...narrower(scope, type), dtype: 'bool' }, deep - 1);
  const a = drawExpr(scope, type, deep - 1);
  const b = draw.once(3) ? num(draw.of([0, 1, -1]), type.dtype) : drawExpr(scope, narrower(scope, type), deep - 1);
  return expr('select', type, draw.once(2) ? [condition, a, b] : [condition, b, a], {});
};

const permutedRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const { shape, dtype } = type;
  if (shape.length < 2) return undefined;
  const order = draw.shuffled(shape.map((_, i) => i));
  const names = shape.map((_, i) => `n${i}`);
  const x = drawExpr(
    scope,
    tensor(
      dtype,
      order.map((i) => shape[i] ?? one),
    ),
    deep - 1,
  );
  return rearranged(
    x,
    order.map((i) => [names[i] ?? '']),
    names.map((name) => [name]),
    names.map((name, i) => [name, shape[i] ?? one]),
    [],
  );
};

function rearranged(
  x: Expr,
  left: Side,
  right: Side,
  sizes: readonly (readonly [string, Size])[],
  given: readonly string[],
  how: 'rearrange' | 'repeat' = 'rearrange',
): Expr {
  const of = new Map(sizes);
  const shape = right.map((axis) => times(...axis.map((name) => of.get(name) ?? one)));
  return expr('pattern', tensor(x.type.dtype, shape), [x], { how, left: [left], right, sizes, given });
}

/** An axis that is a product comes of two, at other places too. */
const mergedRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const { shape, dtype } = type;
  const options = shape.flatMap((n, axis) => factorings(n).map(([p, q]) => ({ axis, p, q })));
  if (options.length === 0 || shape.length > 4) return undefined;
  const { axis, p, q } = draw.of(options);
  const names = shape.flatMap((n, i): [string, Size][] =>
    i === axis
      ? [
          ['p', p],
          ['q', q],
        ]
      : [[`n${i}`, n]],
  );
  const order = draw.once(2) ? names : draw.shuffled(names);
  const x = drawExpr(
    scope,
    tensor(
      dtype,
      order.map(([, n]) => n),
    ),
    deep - 1,
  );
  const right = shape.map((_, i) => (i === axis ? ['p', 'q'] : [`n${i}`]));
  return rearranged(
    x,
    order.map(([name]) => [name]),
    right,
    names,
    [],
  );
};

function factorings(n: Size): readonly (readonly [Size, Size])[] {
  const { terms } = n;
  const [only] = terms;
  const number = asNumber(n);
  if (number !== undefined)
    return [2, 3].flatMap((k) =>
      number % k === 0 && number > 1
        ? [[size(k), size(number / k)] as const, [size(number / k), size(k)] as const]
        : [],
    );
  if (terms.length !== 1 || !only) return [];
  if (only.of.length > 1) {
    const [first, ...rest] = only.of;
    if (typeof first !== 'string') return [];
    const others: Size = { terms: [{ by: only.by, of: rest }] };
    return [
      [named(first), others],
      [others, named(first)],
    ];
  }
  return only.by > 1
    ? [
        [size(only.by), { terms: [{ by: 1, of: only.of }] }],
        [{ terms: [{ by: 1, of: only.of }] }, size(only.by)],
      ]
    : [];
}

/** Two axes of the result were one. */
const splitRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const { shape, dtype } = type;
  if (shape.length < 2) return undefined;
  const [i, j] = draw.shuffled(shape.map((_, at) => at)) as [number, number];
  const names = shape.map((_, at) => `n${at}`);
  const merged = times(shape[i] ?? one, shape[j] ?? one);
  const left = [...names.map((name) => [name]).filter((_, at) => at !== i && at !== j)];
  left.splice(draw.below(left.length + 1), 0, [names[i] ?? '', names[j] ?? '']);
  const sizes = names.map((name, at) => [name, shape[at] ?? one] as const);
  const of = new Map<string, Size>(sizes);
  const from = left.map((axis) => (axis.length === 2 ? merged : (of.get(axis[0] ?? '') ?? one)));
  const x = drawExpr(scope, tensor(dtype, from), deep - 1);
  return rearranged(
    x,
    left,
    names.map((name) => [name]),
    sizes,
    [names[draw.once(2) ? i : j] ?? ''],
  );
};

/** An axis of size 1 comes or goes. */
const onesRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const { shape, dtype } = type;
  const names = shape.map((_, i) => `n${i}`);
  const sizes = names.map((name, i) => [name, shape[i] ?? one] as const);
  const at = shape.findIndex((n) => asNumber(n) === 1);
  if (at >= 0 && draw.once(2)) {
    const x = drawExpr(
      scope,
      tensor(
        dtype,
        shape.filter((_, i) => i !== at),
      ),
      deep - 1,
    );
    const left = names.filter((_, i) => i !== at).map((name) => [name]);
    return rearranged(
      x,
      left,
      names.map((name, i) => (i === at ? [] : [name])),
      sizes.filter((_, i) => i !== at),
      [],
    );
  }
  if (shape.length > 3) return undefined;
  const place = draw.below(shape.length + 1);
  const opened = [...shape.slice(0, place), one, ...shape.slice(place)];
  const left: Side = [...names.slice(0, place).map((n) => [n]), [], ...names.slice(place).map((n) => [n])];
  return rearranged(
    drawExpr(scope, tensor(dtype, opened), deep - 1),
    left,
    names.map((name) => [name]),
    sizes,
    [],
  );
};

const repeatRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const { shape, dtype } = type;
  if (shape.length === 0) return undefined;
  const at = draw.below(shape.length);
  const names = shape.map((_, i) => `n${i}`);
  const sizes = names.map((name, i) => [name, shape[i] ?? one] as const);
  const x = drawExpr(
    scope,
    tensor(
      dtype,
      shape.filter((_, i) => i !== at),
    ),
    deep - 1,
  );
  const left = names.filter((_, i) => i !== at).map((name) => [name]);
  return rearranged(
    x,
    left,
    names.map((name) => [name]),
    sizes,
    [names[at] ?? ''],
    'repeat',
  );
};

const extraSize = ({ library: { draw }, sizes }: Scope): Size => draw.of([...sizes, size(2), size(3), one]);

const reduceRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const { shape } = type;
  if (shape.length > 3) return undefined;
  const how = draw.of(['sum', 'mean', 'amax'] as const);
  const extra = Array.from({ length: 1 + draw.below(2) }, () => extraSize(scope));
  const axes = [...shape.map((n, i) => ({ n, i })), ...extra.map((n) => ({ n, i: -1 }))];
  // What stays keeps its order.
  const order = draw.shuffled(axes.map((_, k) => k));
  const kept = order.filter((k) => axes[k]?.i !== -1).sort((a, b) => a - b);
  let next = 0;
  const placed = order
    .map((k) => (axes[k]?.i === -1 ? axes[k] : axes[kept[next++] ?? 0]))
    .filter((one_) => one_ !== undefined);
  const x = drawExpr(
    scope,
    tensor(
      'f32',
      placed.map(({ n }) => n),
    ),
    deep - 1,
  );
  const over = placed.flatMap(({ i }, at) => (i === -1 ? [at] : []));
  return withType(reduced(how, x, over), type);
};

/** An axis of size 1 that a reduction leaves. */
const keptRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const at = type.shape.findIndex((n) => asNumber(n) === 1);
  if (at < 0) return undefined;
  const n = extraSize(scope);
  const names = type.shape.map((_, i) => `n${i}`);
  const x = drawExpr(
    scope,
    tensor(
      'f32',
      type.shape.map((one_, i) => (i === at ? n : one_)),
    ),
    deep - 1,
  );
  return expr('pattern', type, [x], {
    how: draw.of(['sum', 'mean', 'amax'] as const),
    left: [names.map((name) => [name])],
    right: names.map((name, i) => (i === at ? [] : [name])),
    sizes: names.map((name, i) => [name, i === at ? n : (type.shape[i] ?? one)] as const),
    given: [],
  });
};

const einsumRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const { shape } = type;
  if (shape.length > 4) return undefined;
  const names = shape.map((_, i) => `n${i}`);
  const summed = draw.once(4) ? [] : ['k'];
  const sizes: (readonly [string, Size])[] = [
    ...names.map((name, i) => [name, shape[i] ?? one] as const),
    ...summed.map((name) => [name, extraSize(scope)] as const),
  ];
  const of = new Map(sizes);
  const operands: string[][] = [[], []];
  for (const name of names) {
    const where = draw.below(4);
    if (where !== 1) operands[0]?.push(name);
    if (where === 1 || where === 3) operands[1]?.push(name);
  }
  for (const name of summed)
    for (const operand of operands) if (operand.length === 0 || !draw.once(6)) operand.push(name);
  const [first = [], second = []] = operands.map((one_) => draw.shuffled(one_));
  if (![...summed, ...names].every((name) => first.includes(name) || second.includes(name))) return undefined;
  const args = [first, second].map((side) =>
    drawExpr(
      scope,
      tensor(
        'f32',
        side.map((name) => of.get(name) ?? one),
      ),
      deep - 1,
    ),
  );
  return expr('pattern', type, args, {
    how: 'einsum',
    left: [first.map((name) => [name]), second.map((name) => [name])],
    right: names.map((name) => [name]),
    sizes,
    given: [],
  });
};

const matmulRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const { shape } = type;
  if (shape.length < 2) return undefined;
  const [m = one, n = one] = shape.slice(-2);
  const lead = shape.slice(0, -2);
  const k = extraSize(scope);
  const a = [...lead, m, k];
  const isPlain = draw.once(2);
  if (lead.length > 0 && draw.once(3)) {
    // One matrix for all of a batch, which the other operand has or has not.
    const [first] = lead;
    const names = a.map((_, i) => `n${i}`);
    const x = drawExpr(scope, tensor('f32', a.slice(1)), deep - 1);
    const sizes = names.map((name, i) => [name, a[i] ?? one] as const);
    const right = names.map((name) => [name]);
    const many = rearranged(x, right.slice(1), right, sizes, first ? ['n0'] : [], 'repeat');
    const other = drawExpr(scope, tensor('f32', isPlain ? [k, n] : [...lead, k, n]), deep - 1);
    return expr('matmul', type, [many, other], {});
  }
  const b = isPlain ? [k, n] : [...lead, k, n];
  return expr(
    'matmul',
    type,
    [drawExpr(scope, tensor('f32', a), deep - 1), drawExpr(scope, tensor('f32', b), deep - 1)],
    {},
  );
};

const concatRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const { shape, dtype } = type;
  const options = shape.flatMap((n, axis) => summands(n).map((pair) => ({ axis, pair })));
  if (options.length === 0) return undefined;
  const { axis, pair } = draw.of(options);
  const parts = pair.map((n) =>
    drawExpr(
      scope,
      tensor(
        dtype,
        shape.map((one_, i) => (i === axis ? n : one_)),
      ),
      deep - 1,
    ),
  );
  return expr('concat', type, parts, { axis });
};

function summands(n: Size): readonly (readonly [Size, Size])[] {
  const number = asNumber(n);
  if (number !== undefined)
    return number > 1
      ? [
          [one, size(number - 1)],
          [size(number - 1), one],
        ]
      : [];
  const [first, ...rest] = n.terms;
  if (!first || n.terms.some(({ by }) => by < 0)) return [];
  if (rest.length > 0) return [[{ terms: [first] }, { terms: rest }]];
  return first.by > 1 ? [[{ terms: [{ ...first, by: 1 }] }, { terms: [{ ...first, by: first.by - 1 }] }]] : [];
}

const stackRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const { shape, dtype } = type;
  const options = shape.flatMap((n, axis) => ([1, 2, 3].includes(asNumber(n) ?? 0) ? [axis] : []));
  if (options.length === 0) return undefined;
  const axis = draw.of(options);
  const part = tensor(
    dtype,
    shape.filter((_, i) => i !== axis),
  );
  const n = asNumber(shape[axis] ?? one) ?? 1;
  return expr(
    'stack',
    type,
    Array.from({ length: n }, () => drawExpr(scope, part, deep - 1)),
    { axis },
  );
};

const sliceRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const { shape, dtype } = type;
  if (shape.length > 3) return undefined;
  const from: Size[] = [];
  const ranges: Range[] = [];
  const takeOut = draw.below(shape.length + 2);
  for (const [i, n] of [...shape, undefined].entries()) {
    if (i === takeOut) {
      const whole = draw.of([...scope.sizes, size(2), size(3)]);
      from.push(whole);
      const last = minus(whole, one);
      const number = asNumber(whole);
      ranges.push({ index: number === undefined ? draw.of([size(0), last]) : size(draw.below(number)) });
    }
    if (!n) continue;
    const cut = draw.below(3);
    if (cut === 0) {
      const low = draw.of([size(0), one, one, size(2)]);
      from.push(plus(n, low, draw.of([size(0), one])));
      ranges.push({ from: low, to: plus(n, low) });
    } else {
      from.push(n);
      ranges.push('all');
    }
  }
  return expr('slice', type, [drawExpr(scope, tensor(dtype, from), deep - 1)], { ranges });
};

const padRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const { shape } = type;
  const options = shape.flatMap((n, axis) => summands(n).map(([inner, rest]) => ({ axis, inner, rest })));
  if (options.length === 0) return undefined;
  const { axis, inner, rest } = draw.of(options);
  const [low, high] = draw.once(2) ? [rest, size(0)] : [size(0), rest];
  const x = drawExpr(
    scope,
    tensor(
      'f32',
      shape.map((n, i) => (i === axis ? inner : n)),
    ),
    deep - 1,
  );
  return expr('pad', type, [x], { axis, low, high, value: draw.of([0, 0, 1, -0.5]) });
};

const rollRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  if (type.shape.length === 0) return undefined;
  const axis = draw.below(type.shape.length);
  const length = type.shape[axis] ?? one;
  const n = asNumber(length);
  // By less than the axis is long, whatever its names stand for.
  const least = n ?? sizeAt(length, () => 1);
  if (least < 2) return undefined;
  const by = n === undefined ? draw.of([1, -1]) : draw.below(2 * n - 1) - n + 1;
  return expr('roll', type, [drawExpr(scope, type, deep - 1)], { axis, by });
};

const softmaxRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  if (type.shape.length === 0) return undefined;
  const axis = draw.once(2) ? type.shape.length - 1 : draw.below(type.shape.length);
  return expr('softmax', type, [drawExpr(scope, type, deep - 1)], { axis, log: draw.once(3) });
};

const normRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const n = type.shape.at(-1);
  if (!n) return undefined;
  const row = tensor('f32', [n]);
  const args = [type, row, row].map((one_) => drawExpr(scope, one_, deep - 1));
  return expr('layer_norm', type, args, { eps: draw.of([0.5, 0.01, 1]) });
};

const convRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const { shape } = type;
  if (shape.length !== 4) return undefined;
  const [b = one, o = one, h = one, w = one] = shape;
  const outputs = asNumber(o);
  if (outputs === undefined) return undefined;
  const kernel = draw.of([1, 2, 3, 3]);
  const dilation = draw.of([1, 1, 2]);
  const reach = dilation * (kernel - 1);
  const padding = draw.below(Math.floor(reach / 2) + 1);
  const groups = outputs % 2 === 0 ? draw.of([1, 1, 2]) : 1;
  const within = draw.of([1, 2]);
  // With a stride, the smallest size that gives this one.
  const stride = draw.of([1, 1, 2]);
  const from = (n: Size) => plus(times(size(stride), minus(n, one)), size(reach + 1 - 2 * padding));
  const input = tensor('f32', [b, size(within * groups), from(h), from(w)]);
  const weight = tensor('f32', [o, size(within), size(kernel), size(kernel)]);
  return expr('conv', type, [drawExpr(scope, input, deep - 1), drawExpr(scope, weight, deep - 1)], {
    stride,
    padding,
    dilation,
    groups,
  });
};

const poolRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  if (type.shape.length !== 4) return undefined;
  const [b = one, c = one, h = one, w = one] = type.shape;
  const [kernel, stride] = draw.of([
    [2, 2],
    [2, 1],
    [3, 2],
    [3, 1],
    [1, 1],
  ] as const);
  const from = (n: Size) => plus(times(size(stride), minus(n, one)), size(kernel));
  return expr('pool', type, [drawExpr(scope, tensor('f32', [b, c, from(h), from(w)]), deep - 1)], { kernel, stride });
};

const sampleRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  if (type.shape.length !== 3) return undefined;
  const [b = one, c = one, p = one] = type.shape;
  const map = tensor('f32', [b, c, extraSize(scope), extraSize(scope)]);
  const places = drawExpr(scope, tensor('f32', [b, p, size(2)]), deep - 1);
  const at = draw.once(2) ? places : binary('add', places, num(0.5));
  return expr('sample', type, [drawExpr(scope, map, deep - 1), at], {});
};

/** Numbers of rows of a table of `n` rows. */
function rows(scope: Scope, shape: readonly Size[], n: Size, deep: number): Expr {
  const index = drawExpr(scope, tensor('i32', shape), deep);
  return binary('mod', index, expr('size', tensor('i32', []), [], { size: n }));
}

const gatherRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const { shape, dtype } = type;
  if (shape.length === 0) return undefined;
  const lead = 1 + draw.below(Math.min(2, shape.length));
  const n = extraSize(scope);
  const table = drawExpr(scope, tensor(dtype, [n, ...shape.slice(lead)]), deep - 1);
  return expr('gather', type, [table, rows(scope, shape.slice(0, lead), n, deep - 1)], {});
};

const scatterRule: Rule = (scope, type, deep) => {
  const [n, ...rest] = type.shape;
  if (!n) return undefined;
  const many = extraSize(scope);
  const index = rows(scope, [many], n, deep - 1);
  return expr('scatter', type, [index, drawExpr(scope, tensor('f32', [many, ...rest]), deep - 1)], { rows: n });
};

const topRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const k = type.shape.at(-1);
  const known = k && asNumber(k);
  if (!k || known === undefined) return undefined;
  const n = draw.of([k, plus(k, one), plus(k, draw.of(scope.sizes))]);
  const x = drawExpr(scope, tensor('f32', [...type.shape.slice(0, -1), n]), deep - 1);
  return expr('top', type, [x], { k, part: type.dtype === 'i32' ? 'index' : 'value' });
};

const castRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const from = draw.of((['f32', 'i32', 'bool'] as const).filter((one_) => one_ !== type.dtype));
  return expr('cast', type, [drawExpr(scope, { ...type, dtype: from }, deep - 1)], {});
};

const asRule: Rule = (scope, type, deep) => expr('as', type, [drawExpr(scope, type, deep - 1)], {});

const sizeRule: Rule = (scope, type) => {
  const { draw } = scope.library;
  if (type.dtype === 'bool') return undefined;
  const number = expr('size', tensor(type.dtype, []), [], { size: draw.of(scope.sizes) });
  return type.shape.length === 0 ? number : withType(binary('mul', leaf(scope, type), number), type);
};

const indexedRule: Rule = (scope, type) => {
  const { library } = scope;
  const { draw } = library;
  const { shape } = type;
  if (shape.length === 0 || shape.length > 2 || type.dtype !== 'f32') return undefined;
  const names = shape.map(() => fresh(library, 'at'));
  const [i, j] = names.map((name) => ref(name, tensor('i32', [])));
  if (!i) return undefined;
  const other = j ?? num(draw.of([0, 1, 2]), 'i32');
  const floats = [i, other].map((one_) => expr('cast', tensor('f32', []), [one_], {})) as [Expr, Expr];
  const body = draw.of([
    binary('sub', floats[0], binary('mul', floats[1], num(0.5))),
    expr('select', tensor('f32', []), [compare(draw.of(['lt', 'le', 'eq'] as const), i, other), num(1), floats[0]], {}),
    binary('div', floats[0], binary('add', floats[1], num(1))),
    unary('sin', binary('add', floats[0], floats[1])),
  ]);
  return expr('indexed', type, [body], { names });
};

function conditions({ params, library: { draw, trains }, inputs }: Scope): readonly Condition[] {
  const training: readonly Condition[] = trains && !inputs ? [{ kind: 'training' }] : [];
  const own = params.flatMap(({ name, kind, choices }): Condition[] => {
    if (kind === 'flag') return [{ kind: 'flag', name }];
    if (kind === 'choice') return [{ kind: 'is', name, text: draw.of(choices) }];
    if (kind === 'option') return [{ kind: 'given', name }];
    if (kind === 'int') return [{ kind: 'more', left: named(name), right: draw.of([1, 2, 3]) }];
    return [];
  });
  return [...own, ...training];
}

const chooseRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const known = conditions(scope);
  if (known.length === 0) return undefined;
  const when = draw.of(known);
  const a = drawExpr({ ...scope, naming: false }, type, deep - 1);
  const b = drawExpr({ ...scope, naming: false }, type, deep - 1);
  if (when.kind !== 'given' || type.dtype !== 'f32') return expr('choose', type, [a, b], { when });
  const number = expr('size', tensor('f32', []), [], { size: named(when.name) });
  return expr('choose', type, [binary('mul', a, number), b], { when });
};

const foldRule: Rule = (scope, type, deep) => {
  const { library } = scope;
  const { draw } = library;
  const list = scope.params.filter(({ kind }) => kind === 'ints').map(({ name }) => name);
  if (list.length === 0 || type.dtype !== 'f32') return undefined;
  const [item, name] = [fresh(library, 'k'), fresh(library, 'a')];
  const start = drawExpr({ ...scope, naming: false }, type, deep - 1);
  const x = ref(name, type);
  const number = expr('size', tensor('f32', []), [], { size: named(item) });
  const next = draw.of([binary('add', binary('mul', x, num(0.5)), number), unary('sin', binary('mul', x, number))]);
  return expr('fold', type, [start, next], { list: draw.of(list), item, name });
};

const compareRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const fn: CompareName = draw.of(['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const);
  const dtype = draw.once(2) ? 'i32' : 'f32';
  const from: Type = { ...type, dtype };
  const a = drawExpr(scope, from, deep - 1);
  const b = draw.once(2) ? num(draw.of([0, 1, -1]), dtype) : drawExpr(scope, narrower(scope, from), deep - 1);
  return withType(compare(fn, a, b), type);
};

const logicRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const a = drawExpr(scope, type, deep - 1);
  if (draw.once(3)) return expr('not', type, [a], {});
  const b = drawExpr(scope, narrower(scope, type), deep - 1);
  return expr('logic', type, [a, b], { fn: draw.of(['and', 'or'] as const) });
};

const wholeRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const x = drawExpr(scope, type, deep - 1);
  switch (draw.below(5)) {
    case 0:
      return binary('mod', x, num(draw.of([2, 3, 5]), 'i32'));
    case 1:
      return binary('floordiv', x, num(draw.of([2, 3]), 'i32'));
    case 2:
      return unary('neg', x);
    case 3:
      return withType(
        binary(draw.of(['add', 'sub', 'max', 'min'] as const), x, drawExpr(scope, narrower(scope, type), deep - 1)),
        type,
      );
    default:
      return binary('mul', x, num(draw.of([2, -1, 3]), 'i32'));
  }
};

/** Quotients of numbers of either sign that come from elsewhere than arithmetic. */
const quotientRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const from = draw.of([topRule, castRule, sliceRule, selectRule, sizeRule, rollRule] as const);
  const isFloat = draw.once(2);
  const x = from(scope, isFloat ? { ...type, dtype: 'f32' } : type, deep - 1);
  if (!x) return undefined;
  const whole = isFloat ? expr('cast', type, [x], {}) : x;
  return binary(draw.of(['floordiv', 'mod'] as const), whole, num(draw.of([2, 3, 4]), 'i32'));
};

const roundedRule: Rule = (scope, type, deep) =>
  expr('cast', type, [unary('floor', drawExpr(scope, { ...type, dtype: 'f32' }, deep - 1))], {});

const callRule: Rule = (scope, type, deep) => drawCall(scope, type, deep);

const layoutRules = [
  permutedRule,
  mergedRule,
  splitRule,
  onesRule,
  repeatRule,
  sliceRule,
  concatRule,
  stackRule,
  gatherRule,
  rollRule,
];
const rulesOf: Readonly<Record<Type['dtype'], readonly Rule[]>> = {
  f32: [
    ...[unaryRule, unaryRule, guardedRule, binaryRule, binaryRule, spreadRule, selectRule],
    ...layoutRules,
    ...[reduceRule, reduceRule, keptRule, einsumRule, einsumRule, matmulRule, padRule, softmaxRule, normRule, convRule],
    ...[convRule, poolRule, sampleRule, scatterRule, topRule, castRule, asRule, sizeRule, indexedRule],
    ...[chooseRule, chooseRule, foldRule, callRule, callRule, callRule],
  ],
  i32: [
    wholeRule,
    wholeRule,
    quotientRule,
    quotientRule,
    roundedRule,
    selectRule,
    castRule,
    topRule,
    sizeRule,
    ...layoutRules,
  ],
  bool: [compareRule, compareRule, compareRule, logicRule, permutedRule, splitRule, repeatRule, sliceRule, concatRule],
};
