import { binary, compare, expr, num, tensor, unary } from '../../program/build.ts';
import { one } from '../../program/size.ts';
import type { BinaryName, CompareName, Type, UnaryName } from '../../program/tree.ts';
import { drawExpr, type Rule, withType } from '../rule.ts';
import type { Scope } from '../scope.ts';
import { topRule } from './contractions.ts';
import { rollRule, sliceRule } from './layout.ts';
import { sizeRule } from './parameters.ts';

/** How often a function is drawn where one without kinks is wanted, and where one with them is; `guardedRule` draws the others. */
const drawnFor: Readonly<Record<UnaryName, { readonly smooth?: number; readonly bent?: number }>> = {
  abs: { bent: 1 },
  relu: { bent: 2 },
  neg: { smooth: 1, bent: 1 },
  sin: { smooth: 1 },
  cos: { smooth: 1 },
  tanh: { smooth: 1 },
  erf: { smooth: 1 },
  sigmoid: { smooth: 1 },
  softplus: { smooth: 1 },
  gelu: { smooth: 1 },
  gelu_tanh: { smooth: 1 },
  square: { smooth: 1 },
  stop_gradient: { bent: 1 },
  floor: { bent: 1 },
  exp: {},
  log: {},
  sqrt: {},
};
const drawnAs = (kind: 'smooth' | 'bent'): readonly UnaryName[] =>
  (Object.keys(drawnFor) as UnaryName[]).flatMap((fn) => Array.from({ length: drawnFor[fn][kind] ?? 0 }, () => fn));
const [smoothUnary, bentUnary] = [drawnAs('smooth'), drawnAs('bent')];

export const unaryRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const x = drawExpr(scope, type, deep - 1);
  const fn = draw.of(draw.once(2) ? smoothUnary : bentUnary);
  return unary(fn, x);
};

/** Functions that take some numbers only, or grow too fast. */
export const guardedRule: Rule = (scope, type, deep) => {
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

/** How often `binaryRule` draws a function of two floats; others take some operands only, or whole numbers. */
const drawnForPairs: Readonly<Record<BinaryName, 0 | 1 | 2>> = {
  add: 2,
  sub: 1,
  mul: 2,
  max: 1,
  min: 1,
  div: 0,
  mod: 0,
  floordiv: 0,
};
const drawnPairs = [1, 2].flatMap((times) =>
  (Object.keys(drawnForPairs) as BinaryName[]).filter((fn) => drawnForPairs[fn] >= times),
);

export const binaryRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const fn = draw.of(drawnPairs);
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

/** Two operands of which neither has the whole shape. */
export const spreadRule: Rule = (scope, type, deep) => {
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

export const selectRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const condition = drawExpr(scope, { ...narrower(scope, type), dtype: 'bool' }, deep - 1);
  const a = drawExpr(scope, type, deep - 1);
  const b = draw.once(3) ? num(draw.of([0, 1, -1]), type.dtype) : drawExpr(scope, narrower(scope, type), deep - 1);
  return expr('select', type, draw.once(2) ? [condition, a, b] : [condition, b, a], {});
};

export const castRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const from = draw.of((['f32', 'i32', 'bool'] as const).filter((one_) => one_ !== type.dtype));
  return expr('cast', type, [drawExpr(scope, { ...type, dtype: from }, deep - 1)], {});
};

export const asRule: Rule = (scope, type, deep) => expr('as', type, [drawExpr(scope, type, deep - 1)], {});

export const compareRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const fn: CompareName = draw.of(['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const);
  const dtype = draw.once(2) ? 'i32' : 'f32';
  const from: Type = { ...type, dtype };
  const a = drawExpr(scope, from, deep - 1);
  const b = draw.once(2) ? num(draw.of([0, 1, -1]), dtype) : drawExpr(scope, narrower(scope, from), deep - 1);
  return withType(compare(fn, a, b), type);
};

export const logicRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const a = drawExpr(scope, type, deep - 1);
  if (draw.once(3)) return expr('not', type, [a], {});
  const b = drawExpr(scope, narrower(scope, type), deep - 1);
  return expr('logic', type, [a, b], { fn: draw.of(['and', 'or'] as const) });
};

export const wholeRule: Rule = (scope, type, deep) => {
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
export const quotientRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const from = draw.of([topRule, castRule, sliceRule, selectRule, sizeRule, rollRule] as const);
  const isFloat = draw.once(2);
  const x = from(scope, isFloat ? { ...type, dtype: 'f32' } : type, deep - 1);
  if (!x) return undefined;
  const whole = isFloat ? expr('cast', type, [x], {}) : x;
  return binary(draw.of(['floordiv', 'mod'] as const), whole, num(draw.of([2, 3, 4]), 'i32'));
};

export const roundedRule: Rule = (scope, type, deep) =>
  expr('cast', type, [unary('floor', drawExpr(scope, { ...type, dtype: 'f32' }, deep - 1))], {});
