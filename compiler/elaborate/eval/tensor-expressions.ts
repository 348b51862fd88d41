import type { Expr, TensorExpr } from '../../../grammar/tree.ts';
import type { Dim } from '../../dims/dim.ts';
import * as dims from '../../dims/dim.ts';
import { andThen } from '../../graphs/builder.ts';
import { pairs } from '../../lists.ts';
import type { Val } from '../context/elaborated.ts';
import { nested, type Scope } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { error } from '../context/values.ts';
import { axisWord, provenance } from '../report/provenance.ts';
import { argText, counted, fail, guarded, noNames, requireEqual } from '../report/report.ts';
import { swapHelp } from '../report/swapped.ts';
import { scalar } from './arithmetic.ts';
import { evaluate } from './evaluate.ts';
import { evaluateSize } from './indexing.ts';
import { run } from './statements.ts';

/** Evaluates `x as f32[B, N, C]`: the shape must be proved equal and is written in these dims from then on. */
export function assertShape(scope: Scope, expr: Extract<Expr, { kind: 'cast' }>): Val {
  const value = evaluate(scope, expr.operand);
  if (value.kind === 'error') return error;
  if (value.kind !== 'tensor' || expr.type.kind !== 'tensor-type') {
    return fail(scope, 'CROB2201', expr.span, { expected: 'a tensor', actual: describe(value) });
  }
  const shape: Dim[] = [];
  for (const item of expr.type.shape) {
    if (item.kind === 'spread') {
      shape.push(...(scope.dims.spreads.get(item.name?.name ?? '...') ?? []));
      continue;
    }
    const d = evaluate(scope, item.value);
    if (d.kind === 'error') return error;
    if (d.kind !== 'dim') return fail(scope, 'CROB2201', item.span, { expected: 'a dim', actual: describe(d) });
    shape.push(d.dim);
  }
  const actual = value.value.type;
  if (expr.type.dtype.name !== actual.dtype) {
    return fail(scope, 'CROB2103', expr.span, { what: 'read', left: actual.dtype, right: expr.type.dtype.name });
  }
  if (shape.length !== actual.shape.length) {
    return fail(
      scope,
      'CROB2102',
      expr.span,
      { what: 'this', expected: counted(shape.length, 'axis'), actual: String(actual.shape.length) },
      {
        details: provenance(scope, [{ name: 'value', value: value.value }]),
      },
    );
  }
  const tensors = [{ name: 'value', value: value.value }];
  const same = pairs(shape, actual.shape).every(([d, own], i) =>
    requireEqual(
      scope,
      own,
      d,
      expr.span,
      `cannot take \`${argText(scope, expr.operand)}\` for ${scope.context.run.program.text(expr.type.span)}: ${axisWord(actual.shape, i, own, d)}`,
      { tensors, help: swapHelp(actual.shape, shape, i) },
    ),
  );
  if (!same) return error;
  return guarded(scope, expr.span, '', noNames, (build) => build.tryEmit('reshape', [value.value], { shape }));
}

/**
 * Evaluates `tensor f32[i in N, j in M] { … }` as arithmetic on iotas, which is constant-folded if the extents are
 * static.
 */
export function fromIndices(scope: Scope, expr: TensorExpr): Val {
  if (!scope.graph) return fail(scope, 'CROB2208', expr.span, { what: 'a tensor' });
  const dtype = expr.dtype.name;
  if (dtype !== 'f32' && dtype !== 'i32' && dtype !== 'bool') {
    return fail(
      scope,
      'CROB2222',
      expr.dtype.span,
      { name: dtype },
      { help: 'f32, i32 and bool are the dtypes inside a graph' },
    );
  }
  const inner = nested(scope);
  const shape: Dim[] = [];
  for (const { extent } of expr.indices) {
    const size = evaluateSize(scope, extent);
    if (!size) return error;
    shape.push(size);
  }
  for (const [axis, [{ name: ident }, n]] of pairs(expr.indices, shape).entries()) {
    const at = guarded(scope, ident.span, `index ${ident.name}`, noNames, (build) =>
      andThen(build.tryEmit('iota', [], { n }), (line) =>
        build.tryEmit('reshape', [line], { shape: [n, ...shape.slice(axis + 1).map(() => dims.one)] }),
      ),
    );
    inner.locals.declare(ident.name, at);
  }
  const raw = run(inner, expr.body);
  if (!raw || raw.kind === 'error') return error;
  const value = scalar(scope, raw, dtype, expr.body.span);
  if (value.kind !== 'tensor') return error;
  return guarded(
    scope,
    expr.span,
    'tensor',
    () => ['element'],
    (build) =>
      andThen(build.tryEmit('cast', [value.value], { dtype }), (typed) =>
        build.tryEmit('broadcast', [typed], { shape }),
      ),
  );
}
