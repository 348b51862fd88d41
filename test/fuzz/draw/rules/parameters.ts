import { binary, compare, expr, num, ref, tensor, unary } from '../../program/build.ts';
import { named } from '../../program/size.ts';
import type { Condition, Expr } from '../../program/tree.ts';
import { leaf } from '../expression.ts';
import { drawExpr, type Rule, withType } from '../rule.ts';
import { fresh, type Scope } from '../scope.ts';

export const sizeRule: Rule = (scope, type) => {
  const { draw } = scope.library;
  if (type.dtype === 'bool') return undefined;
  const number = expr('size', tensor(type.dtype, []), [], { size: draw.of(scope.sizes) });
  return type.shape.length === 0 ? number : withType(binary('mul', leaf(scope, type), number), type);
};

export const indexedRule: Rule = (scope, type) => {
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

export const chooseRule: Rule = (scope, type, deep) => {
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

export const foldRule: Rule = (scope, type, deep) => {
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
