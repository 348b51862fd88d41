import type { AssignStatement, Expr } from '../../../grammar/tree.ts';
import type { Val } from '../context/elaborated.ts';
import type { Scope } from '../context/scope.ts';
import { asNumber } from '../context/values.ts';
import { axisNames } from '../report/axis-names.ts';

type Tensor = Extract<Val, { kind: 'tensor' }>;
type Index = Extract<Expr, { kind: 'index' }>;

/** Suggests a replacement for `x[…] = value` of a tensor x: tensors are immutable. */
export function withoutAssignment(
  scope: Scope,
  name: string,
  held: Tensor,
  target: Index,
  statement: AssignStatement,
  given: Val,
): string {
  const text = (expr: Expr) => scope.context.run.program.text(expr.span);
  const general =
    'bind the name anew: `x = select(mask, a, x)` chooses by element, `x = concat([a, b], "b * c")` joins parts';
  const { shape } = held.value.type;
  const [first] = target.items;
  const written =
    statement.op === '=' ? text(statement.value) : `${text(target)} ${statement.op[0]} ${text(statement.value)}`;
  const isNumber = asNumber(given) !== undefined;
  const chosen = first?.kind === 'at' && target.items.length === 1 ? text(first.value) : undefined;
  const mask = chosen === undefined ? undefined : scope.locals.get(chosen);
  if (mask?.kind === 'tensor') {
    const byElement = mask.value.type.dtype === 'bool' && isNumber;
    const value = statement.op === '=' ? written : `${name} ${statement.op[0]} ${text(statement.value)}`;
    return byElement ? `write \`${name} = select(${chosen}, ${value}, ${name})\`` : general;
  }
  const [axis, ...others] = target.items.flatMap((item, i) => (item.kind === 'all' ? [] : [i]));
  const item = axis === undefined ? undefined : target.items[axis];
  if (axis === undefined || others.length > 0 || item?.kind !== 'at' || target.items.length > shape.length)
    return general;
  const names = axisNames(scope, held.value);
  const at = text(item.value);
  const free = [...'ijklmnpq'].filter((one) => !at.split(/\W+/).includes(one));
  const extents = shape.slice(axis).map((dim, i) => `${free[i]} in ${scope.facts.show(dim)}`);
  const place = `tensor bool[${extents.join(', ')}] { ${free[0]} == ${at} }`;
  const rest = names.toSpliced(axis, 1);
  const value =
    isNumber && statement.op === '='
      ? written
      : axis === 0
        ? written
        : `rearrange(${written}, "${rest.join(' ')} -> ${names.map((one, i) => (i === axis ? '1' : one)).join(' ')}")`;
  return `write \`${name} = select(${place}, ${value}, ${name})\``;
}
