import type { Expr } from '../../../grammar/tree.ts';
import type { Val } from '../context/elaborated.ts';
import type { Scope } from '../context/scope.ts';
import { evaluate } from './evaluate.ts';

/** Evaluates the expression after `~`: initialisers take precedence over functions of the same name (`uniform`). */
export function evaluateInit(scope: Scope, expr: Expr): Val {
  const value = evaluate({ ...scope, inits: true }, expr);
  return value;
}
