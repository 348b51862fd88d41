import { expr, reduced, tensor } from '../../program/build.ts';
import { asNumber, one, plus, type Size } from '../../program/size.ts';
import { drawExpr, extraSize, type Rule, withType } from '../rule.ts';
import { rearranged } from './layout.ts';

export const reduceRule: Rule = (scope, type, deep) => {
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
export const keptRule: Rule = (scope, type, deep) => {
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

export const einsumRule: Rule = (scope, type, deep) => {
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

export const matmulRule: Rule = (scope, type, deep) => {
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

export const softmaxRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  if (type.shape.length === 0) return undefined;
  const axis = draw.once(2) ? type.shape.length - 1 : draw.below(type.shape.length);
  return expr('softmax', type, [drawExpr(scope, type, deep - 1)], { axis, log: draw.once(3) });
};

export const normRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const n = type.shape.at(-1);
  if (!n) return undefined;
  const row = tensor('f32', [n]);
  const args = [type, row, row].map((one_) => drawExpr(scope, one_, deep - 1));
  return expr('layer_norm', type, args, { eps: draw.of([0.5, 0.01, 1]) });
};

export const topRule: Rule = (scope, type, deep) => {
  const { draw } = scope.library;
  const k = type.shape.at(-1);
  const known = k && asNumber(k);
  if (!k || known === undefined) return undefined;
  const n = draw.of([k, plus(k, one), plus(k, draw.of(scope.sizes))]);
  const x = drawExpr(scope, tensor('f32', [...type.shape.slice(0, -1), n]), deep - 1);
  return expr('top', type, [x], { k, part: type.dtype === 'i32' ? 'index' : 'value' });
};
