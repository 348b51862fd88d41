import { expr, tensor } from '../../program/build.ts';
import { asNumber, minus, named, one, plus, type Size, size, sizeAt, times } from '../../program/size.ts';
import type { Expr, Range, Side, Type } from '../../program/tree.ts';
import { drawExpr, type Rule } from '../rule.ts';
import type { Scope } from '../scope.ts';

export const permutedRule: Rule = (scope, type, deep) => {
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

export function rearranged(
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
export const mergedRule: Rule = (scope, type, deep) => {
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
export const splitRule: Rule = (scope, type, deep) => {
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

/** What has this type once an axis comes. */
function withoutAxis(scope: Scope, { dtype, shape }: Type, at: number, deep: number): Expr {
  const rest = shape.filter((_, i) => i !== at);
  return drawExpr(scope, tensor(dtype, rest), deep - 1);
}

/** An axis of size 1 comes or goes. */
export const onesRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const { shape, dtype } = type;
  const names = shape.map((_, i) => `n${i}`);
  const sizes = names.map((name, i) => [name, shape[i] ?? one] as const);
  const at = shape.findIndex((n) => asNumber(n) === 1);
  if (at >= 0 && draw.once(2)) {
    return rearranged(
      withoutAxis(scope, type, at, deep),
      names.filter((_, i) => i !== at).map((name) => [name]),
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

export const repeatRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const { shape } = type;
  if (shape.length === 0) return undefined;
  const at = draw.below(shape.length);
  const names = shape.map((_, i) => `n${i}`);
  const sizes = names.map((name, i) => [name, shape[i] ?? one] as const);
  return rearranged(
    withoutAxis(scope, type, at, deep),
    names.filter((_, i) => i !== at).map((name) => [name]),
    names.map((name) => [name]),
    sizes,
    [names[at] ?? ''],
    'repeat',
  );
};

export const concatRule: Rule = (scope, type, deep) => {
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

export const stackRule: Rule = (scope, type, deep) => {
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

export const sliceRule: Rule = (scope, type, deep) => {
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

export const padRule: Rule = (scope, type, deep) => {
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

export const rollRule: Rule = (scope, type, deep) => {
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
