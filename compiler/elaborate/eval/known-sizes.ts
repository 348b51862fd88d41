import { asConstant, constant } from '../../dims/dim.ts';
import type { Val } from '../context/elaborated.ts';
import type { Scope } from '../context/scope.ts';
import { dimVal } from '../context/values.ts';

/** Returns an int, or a dim that a `where` fixes, as a number: `T` under `where T == 5` is 5. */
export function knownInt({ facts }: Pick<Scope, 'facts'>, value: Val | undefined): number | undefined {
  if (value?.kind !== 'dim') return undefined;
  return asConstant(value.dim) ?? asConstant(facts.normalize(value.dim));
}

/** Replaces every dim that a `where` fixes by its int. */
export function ofKnownSize(scope: Pick<Scope, 'facts'>, value: Val): Val {
  if (value.kind === 'list') return { kind: 'list', items: value.items.map((item) => ofKnownSize(scope, item)) };
  if (value.kind !== 'dim' || asConstant(value.dim) !== undefined) return value;
  const n = knownInt(scope, value);
  return n === undefined ? value : dimVal(constant(n));
}
