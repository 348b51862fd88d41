import type { Expr } from '../../grammar/tree.ts';
import type { Body } from './body.ts';
import type { Val } from './values.ts';

/** The expression after `~`: initialisers are looked up before functions of the same name (`uniform`). */
export function evaluateInit(body: Body, expr: Expr): Val {
  const value = body.session.interpreter.evaluate({ ...body, inits: true }, expr);
  return value;
}
