import { binary, expr, num, tensor } from '../../program/build.ts';
import { asNumber, minus, one, plus, type Size, size, times } from '../../program/size.ts';
import type { Expr } from '../../program/tree.ts';
import { drawExpr, extraSize, type Rule } from '../rule.ts';
import type { Scope } from '../scope.ts';

export const convRule: Rule = (scope, type, deep) => {
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

export const poolRule: Rule = (scope, type, deep) => {
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

export const sampleRule: Rule = (scope, type, deep) => {
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

export const gatherRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const { shape, dtype } = type;
  if (shape.length === 0) return undefined;
  const lead = 1 + draw.below(Math.min(2, shape.length));
  const n = extraSize(scope);
  const table = drawExpr(scope, tensor(dtype, [n, ...shape.slice(lead)]), deep - 1);
  return expr('gather', type, [table, rows(scope, shape.slice(0, lead), n, deep - 1)], {});
};

export const scatterRule: Rule = (scope, type, deep) => {
  const [n, ...rest] = type.shape;
  if (!n) return undefined;
  const many = extraSize(scope);
  const index = rows(scope, [many], n, deep - 1);
  return expr('scatter', type, [index, drawExpr(scope, tensor('f32', [many, ...rest]), deep - 1)], { rows: n });
};
