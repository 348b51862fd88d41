import type { Expr } from '../../../grammar/tree.ts';
import { given } from './kinds.ts';
import type { Scope } from './scope.ts';

/** The names that a condition finds to be something other than none, if it is true and if it is false. */
export function partsPresent(condition: Expr): {
  readonly ifTrue: readonly string[];
  readonly ifFalse: readonly string[];
} {
  if (condition.kind !== 'binary') return { ifTrue: [], ifFalse: [] };
  const { op, left, right } = condition;
  if (op === '&&') return { ifTrue: [left, right].flatMap((one) => partsPresent(one).ifTrue), ifFalse: [] };
  if (op === '||') return { ifTrue: [], ifFalse: [left, right].flatMap((one) => partsPresent(one).ifFalse) };
  const [name, other] = left.kind === 'none' ? [right, left] : [left, right];
  const names = name.kind === 'name' && other.kind === 'none' ? [name.name] : [];
  return { ifTrue: op === '!=' ? names : [], ifFalse: op === '==' ? names : [] };
}

/** Makes parts that may be none parts that are there, within the innermost `nested`: type checkers find them so. */
export function narrow(scope: Scope, names: readonly string[]): void {
  for (const name of names) {
    const known = scope.lookup(name);
    if (known?.kind.kind === 'optional' && given(known.kind).kind === 'part')
      scope.bind(name, { ...known, kind: given(known.kind) });
  }
}
