import { newAxis } from '../../../grammar/foreign.ts';
import type { Expr, IndexExpr, IndexItem } from '../../../grammar/tree.ts';
import type { Clause } from '../../dims/clause.ts';
import type { Dim } from '../../dims/dim.ts';
import * as dims from '../../dims/dim.ts';
import { andThen } from '../../graphs/builder.ts';
import type { TensorVal, Val } from '../context/elaborated.ts';
import type { Scope } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { dimVal, error } from '../context/values.ts';
import { definitions, siteIn } from '../report/definitions.ts';
import { argText, counted, fail, guarded, requireClause, type ShapeParts } from '../report/report.ts';
import { evaluate } from './evaluate.ts';
import { knownInt } from './known-sizes.ts';
import { withRows } from './row-numbers.ts';

/**
 * Evaluates an index expression: `xs[i]`, `xs[1..3]`, `x[:, 0..H, i]`, `x[i]` for `x[i, :, :]`, and `H[i]`, the i-th
 * dim of a family.
 */
export function index(scope: Scope, expr: IndexExpr): Val {
  const family = dimFamily(scope, expr);
  if (family) return family;
  const object = evaluate(scope, expr.object);
  if (object.kind === 'error') return error;
  if (object.kind === 'list') return listItem(scope, expr, object.items);
  if (object.kind === 'tensor') return slice(scope, expr, object);
  return fail(scope, 'CROB2216', expr.span, { op: '[]', left: describe(object), right: 'an index' });
}

function dimFamily(scope: Scope, expr: IndexExpr): Val | undefined {
  const { object, items } = expr;
  if (object.kind !== 'name' || !/^[A-Z]/.test(object.name) || scope.locals.get(object.name)) return undefined;
  if (scope.member(object.name, object.span)) return undefined;
  const only = items[0];
  if (items.length !== 1 || only?.kind !== 'at') return undefined;
  const i = bound(scope, only.value);
  if (i === undefined) return error;
  const name = `${object.name}[${i}]`;
  const dim = scope.dims.get(name);
  return dim ? dimVal(dim) : fail(scope, 'CROB2116', expr.span, { name });
}

function listItem(scope: Scope, expr: IndexExpr, items: readonly Val[]): Val {
  const only = expr.items[0];
  if (expr.items.length !== 1 || !only || only.kind === 'any') {
    return fail(scope, 'CROB2216', expr.span, { op: '[]', left: 'a list', right: `${expr.items.length} indices` });
  }
  if (only.kind === 'all') return { kind: 'list', items };
  if (only.kind === 'range') {
    const from = only.start ? bound(scope, only.start) : 0;
    const to = only.stop ? bound(scope, only.stop) : items.length;
    if (from === undefined || to === undefined) return error;
    if (from < 0 || to > items.length || from > to) {
      return fail(
        scope,
        'CROB2209',
        only.span,
        { noun: 'range', index: `${from}..${to}`, length: items.length },
        { details: definitions(scope, [siteIn(scope, expr.span)]) },
      );
    }
    return { kind: 'list', items: items.slice(from, to) };
  }
  const i = bound(scope, only.value);
  if (i === undefined) return error;
  return (
    items[i] ??
    fail(
      scope,
      'CROB2209',
      only.span,
      { noun: 'item', index: i, length: items.length },
      { details: definitions(scope, [siteIn(scope, expr.span)]) },
    )
  );
}

function bound(scope: Scope, expr: Expr): number | undefined {
  const value = evaluate(scope, expr);
  if (value.kind === 'error') return undefined;
  const n = knownInt(scope, value);
  if (n === undefined) fail(scope, 'CROB2201', expr.span, { expected: 'an int', actual: describe(value) });
  return n;
}

function slice(scope: Scope, expr: IndexExpr, object: TensorVal): Val {
  const { shape } = object.value.type;
  const first = expr.items[0];
  if (expr.items.length === 1 && first?.kind === 'at') {
    const at = evaluate(scope, first.value);
    if (at.kind === 'error') return error;
    if (at.kind === 'tensor') {
      const names = () => [argText(scope, expr.object), argText(scope, first.value)];
      const made = guarded(scope, expr.span, 'gather', names, (build) =>
        build.tryEmit('gather', [object.value, at.value], {}),
      );
      return withRows(scope, made, first.value, names);
    }
  }
  if (expr.items.length > shape.length) {
    return fail(
      scope,
      'CROB2102',
      expr.span,
      {
        what: 'an index of this tensor',
        expected: `at most ${counted(shape.length, 'axis')}`,
        actual: String(expr.items.length),
      },
      {
        help: 'give one index, range or `:` for each axis; axes at the end may be left out, and are taken whole',
      },
    );
  }
  const tensors = () => ({ tensors: [{ name: argText(scope, expr.object), value: object.value }] });
  const cuts: Cut[] = [];
  for (const [axis, size] of shape.entries()) {
    const item = expr.items[axis];
    const cut = item ? cutOf(scope, item, { axis, size, tensors }) : { from: dims.zero, to: size, keepsAxis: true };
    if (!cut) return error;
    cuts.push(cut);
  }
  return guarded(
    scope,
    expr.span,
    'slice',
    () => [argText(scope, expr.object)],
    (build) => {
      const [start, stop] = [cuts.map(({ from }) => from), cuts.map(({ to }) => to)];
      const part = build.tryEmit('slice', [object.value], { start, stop, step: shape.map(() => 1) });
      const kept = cuts.filter(({ keepsAxis }) => keepsAxis);
      if (kept.length === cuts.length) return part;
      const left = kept.map(({ from, to }) => dims.sub(to, from));
      return andThen(part, (whole) => build.tryEmit('reshape', [whole], { shape: left }));
    },
  );
}

/** The half-open range `from`..`to` of one axis; a single index also removes the axis. */
interface Cut {
  readonly from: Dim;
  readonly to: Dim;
  readonly keepsAxis: boolean;
}

interface CutAxis {
  readonly axis: number;
  readonly size: Dim;
  readonly tensors: () => ShapeParts;
}

function cutOf(scope: Scope, item: IndexItem, { axis, size, tensors }: CutAxis): Cut | undefined {
  /** Conditions that an index or range must satisfy, each with the message for a failure. */
  const isWithin = (owed: readonly (readonly [Clause, string, () => ShapeParts])[]) =>
    owed.every(([clause, what, parts]) => requireClause(scope, clause, item.span, what, parts));
  switch (item.kind) {
    case 'any':
      fail(scope, 'CROB2216', item.span, { op: '[*]', left: 'a tensor', right: 'an index' });
      return undefined;
    case 'all':
      return { from: dims.zero, to: size, keepsAxis: true };
    case 'range': {
      const from = item.start ? evaluateSize(scope, item.start) : dims.zero;
      const to = item.stop ? evaluateSize(scope, item.stop) : size;
      if (!from || !to) return undefined;
      const inside = isWithin([
        [{ kind: 'le', left: dims.zero, right: from }, `the slice begins before axis ${axis}`, tensors],
        [{ kind: 'le', left: to, right: size }, `the slice ends beyond axis ${axis}`, tensors],
        [{ kind: 'lt', left: from, right: to }, `the slice of axis ${axis} is empty`, tensors],
      ]);
      return inside ? { from, to, keepsAxis: true } : undefined;
    }
    case 'at': {
      const from = evaluateSize(scope, item.value);
      if (!from) return undefined;
      const last = () => scope.facts.show(dims.sub(size, dims.one));
      const fromFront = () => ({ ...tensors(), help: `indices count from the front; the last is ${last()}` });
      const inside = isWithin([
        [{ kind: 'le', left: dims.zero, right: from }, `the index is before axis ${axis}`, fromFront],
        [{ kind: 'lt', left: from, right: size }, `the index is beyond axis ${axis}`, tensors],
      ]);
      return inside ? { from, to: dims.add(from, dims.one), keepsAxis: false } : undefined;
    }
  }
}

/** Evaluates an expression that must be an int or a dim; undefined after a report. */
export function evaluateSize(scope: Scope, expr: Expr): Dim | undefined {
  const value = evaluate(scope, expr);
  if (value.kind === 'dim') return value.dim;
  if (value.kind !== 'error')
    fail(
      scope,
      'CROB2201',
      expr.span,
      { expected: 'an int or a dim', actual: describe(value) },
      { help: value.kind === 'none' ? newAxis : undefined },
    );
  return undefined;
}
