import type { Span } from '../../../grammar/span.ts';
import type { ComprehensionExpr, Expr, ForClause } from '../../../grammar/tree.ts';
import * as dims from '../../dims/dim.ts';
import type { Val } from '../context/elaborated.ts';
import { nested, type Scope } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { dimVal, error } from '../context/values.ts';
import { unknownCount } from '../report/counts.ts';
import { overItems } from '../report/items.ts';
import { argText, fail } from '../report/report.ts';
import { evaluate, truth } from './evaluate.ts';
import { knownInt } from './known-sizes.ts';

/** The maximum number of iterations of a static loop: a longer one is a mistake or an attack. */
export const loopLimit = 4096;

export function listOfRange(scope: Scope, start: Expr, stop: Expr, span: Span): Val {
  const from = evaluate(scope, start);
  const to = evaluate(scope, stop);
  if (from.kind === 'error' || to.kind === 'error') return error;
  const a = knownInt(scope, from);
  const b = knownInt(scope, to);
  if (a === undefined || b === undefined) {
    const symbolic = from.kind === 'dim' && a === undefined ? from : to;
    if (symbolic.kind === 'dim') return unknownCount(scope, symbolic.dim, span);
    return fail(scope, 'CROB2201', span, { expected: 'an int', actual: describe(a === undefined ? from : to) });
  }
  if (b - a > loopLimit) return fail(scope, 'CROB2204', span, { count: b - a, limit: loopLimit });
  return { kind: 'list', items: Array.from({ length: Math.max(0, b - a) }, (_, i) => dimVal(dims.constant(a + i))) };
}

/** Returns the items that a `for` iterates over; undefined after a report. */
export function iterate(scope: Scope, clause: ForClause): readonly Val[] | undefined {
  const over = evaluate(scope, clause.iterable);
  if (over.kind === 'error') return undefined;
  if (over.kind !== 'list') {
    const text = argText(scope, clause.iterable);
    const help =
      over.kind === 'dim'
        ? `write \`0..${text}\``
        : over.kind === 'tensor'
          ? `a tensor is no list: \`for i in 0..4 { … }\` counts, and \`${text}[:, i]\` is a part of it`
          : undefined;
    fail(scope, 'CROB2201', clause.iterable.span, { expected: 'a list or a range', actual: describe(over) }, { help });
    return undefined;
  }
  if (over.items.length > loopLimit) {
    fail(scope, 'CROB2204', clause.iterable.span, { count: over.items.length, limit: loopLimit });
    return undefined;
  }
  return over.items;
}

/** Evaluates a comprehension; `element` evaluates each item. */
export function comprehension(scope: Scope, expr: ComprehensionExpr, element: Element = evaluate): Val {
  return overItems(scope, (inner, next) => comprehended(inner, expr, element, next));
}

type Element = (scope: Scope, expr: Expr) => Val;

/** `next` is called before each item. */
function comprehended(scope: Scope, expr: ComprehensionExpr, element: Element, next: () => void): Val {
  const items: Val[] = [];
  let broken = false;
  const walk = (inner: Scope, depth: number): void => {
    const clause = expr.clauses[depth];
    if (!clause) {
      next();
      if (expr.condition) {
        const keep = truth(inner, evaluate(inner, expr.condition), expr.condition.span);
        if (keep === undefined) broken = true;
        if (!keep) return;
      }
      if (items.length >= loopLimit) {
        if (!broken) fail(scope, 'CROB2204', expr.span, { count: items.length + 1, limit: loopLimit });
        broken = true;
        return;
      }
      items.push(element(inner, expr.element));
      return;
    }
    const over = iterate(inner, clause);
    if (!over) {
      broken = true;
      return;
    }
    for (const [i, item] of over.entries()) {
      if (broken) return;
      const below = nested(inner);
      if (clause.index) below.locals.declare(clause.index.name, dimVal(dims.constant(i)));
      below.locals.declare(clause.item.name, item);
      walk(below, depth + 1);
      if (item.kind === 'error') broken = true;
    }
  };
  walk(scope, 0);
  return broken ? error : { kind: 'list', items };
}
