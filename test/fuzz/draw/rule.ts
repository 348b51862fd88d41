import { sameType } from '../program/build.ts';
import { one, type Size, size } from '../program/size.ts';
import type { Expr, Type } from '../program/tree.ts';
import type { Scope } from './scope.ts';

export type Rule = (scope: Scope, type: Type, deep: number) => Expr | undefined;

/** An expression of a type. Rules draw their operands and are drawn for them, so the library has the function. */
export function drawExpr(scope: Scope, type: Type, deep: number): Expr {
  return scope.library.drawExpr(scope, type, deep);
}

export function withType(e: Expr, type: Type): Expr | undefined {
  return sameType(e.type, type) ? e : undefined;
}

export const extraSize = ({ library: { draw }, sizes }: Scope): Size => draw.of([...sizes, size(2), size(3), one]);
