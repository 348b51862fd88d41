import { foreignType } from '../../../grammar/foreign.ts';
import type { BinaryOp, Expr, Param, ShapeItem, Type } from '../../../grammar/tree.ts';
import type { Dim } from '../../dims/dim.ts';
import * as dims from '../../dims/dim.ts';
import type { Clause, Facts } from '../../dims/facts.ts';
import type { DType } from '../../ir/types.ts';
import { pairs } from '../../lists.ts';
import type { Condition, GraphType, Val } from '../context/elaborated.ts';
import { nested, type Scope } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { asInt } from '../context/values.ts';
import { argText, fail, knownBeside, requireSize } from '../report/report.ts';
import type { FileScope } from '../source/file-scope.ts';
import { behindNames, typeBehind, typeName } from '../source/type-names.ts';
import { reportUnknownType, typeScope } from './arguments.ts';
import { evaluate } from './evaluate.ts';
import { iterate } from './loops.ts';

const dtypes: readonly string[] = ['f32', 'i32', 'bool', 'i64', 'u8'] satisfies DType[];

/** Whether arguments for a parameter of this type are tensors. */
export function isGraphType(written: Type, file: FileScope): boolean {
  if (written.kind === 'tensor-type') return true;
  switch (typeBehind(written, file).kind) {
    case 'tensor-type':
    case 'pyramid-type':
    case 'sequence-type':
    case 'typeof-type':
    case 'tuple-type':
    // For an unknown name, `resolveType` reports.
    case 'alias-type':
      return true;
    case 'named-type':
    case 'list-type':
    case 'choice-type':
      return false;
  }
}

/** Whether a parameter of this type is a dim or a list of dims. */
export function isDimType(type: Type): boolean {
  if (type.kind === 'named-type') return type.name.name === 'dim';
  return type.kind === 'list-type' && isDimType(type.element);
}

/**
 * Resolves the names in a signature's type. `ranks` gives the rank of the next tensor of a parameter, which
 * determines the length of a spread; without it, spreads must be known already. `others` are the types of earlier
 * parameters, for `typeof`.
 */
export function resolveType(
  scope: Scope,
  type: Type,
  others: ReadonlyMap<string, GraphType>,
  ranks?: { next(): number | undefined },
): GraphType | undefined {
  switch (type.kind) {
    case 'tensor-type': {
      const dtype = type.dtype.name;
      if (!dtypes.includes(dtype)) {
        const help = foreignType(dtype) ?? `dtypes are ${dtypes.join(', ')}`;
        fail(scope, 'CROB2222', type.dtype.span, { name: dtype }, { help });
        return undefined;
      }
      const shape = resolveShape(scope, type.shape, ranks?.next());
      return shape && { kind: 'tensor', type: { dtype: dtype as DType, shape } };
    }
    case 'pyramid-type': {
      const items = iterate(scope, { index: undefined, item: type.index, iterable: type.iterable });
      if (!items) return undefined;
      const parts: GraphType[] = [];
      for (const item of items) {
        const inner = nested(scope);
        inner.locals.declare(type.index.name, item);
        const part = resolveType(inner, type.element, others, ranks);
        if (!part) return undefined;
        parts.push(part);
      }
      return { kind: 'list', items: parts };
    }
    case 'sequence-type': {
      const parts = type.items.map((item) => resolveType(scope, item, others, ranks));
      return parts.every((part) => part !== undefined) ? { kind: 'list', items: parts } : undefined;
    }
    case 'tuple-type': {
      const items = new Map<string, GraphType>();
      for (const item of type.items) {
        const part = resolveType(scope, item.type, others, ranks);
        if (!part) return undefined;
        items.set(item.name.name, part);
      }
      return { kind: 'tuple', items };
    }
    case 'typeof-type': {
      const other = others.get(type.name.name);
      if (!other)
        fail(
          scope,
          'CROB2001',
          type.name.span,
          { name: type.name.name },
          { help: 'typeof(x) names an earlier tensor parameter' },
        );
      return other;
    }
    case 'alias-type':
    case 'named-type': {
      const found = typeName(type, scope.file);
      if (found) {
        const inner = typeScope(scope, type, found);
        return inner && resolveType(inner, found.decl.type, others, ranks);
      }
      if (type.kind === 'named-type') return refuseStatic(scope, type);
      reportUnknownType(scope, type, scope.file);
      return undefined;
    }
    case 'list-type':
    case 'choice-type':
      return refuseStatic(scope, type);
  }
}

function refuseStatic(scope: Scope, { span }: Type): undefined {
  fail(scope, 'CROB2201', span, { expected: 'a tensor type', actual: 'a static type' });
  return undefined;
}

function resolveShape(scope: Scope, items: readonly ShapeItem[], rank: number | undefined): Dim[] | undefined {
  const shape: Dim[] = [];
  const fixed = items.filter((item) => item.kind === 'dim').length;
  const second = items.filter((item) => item.kind === 'spread')[1];
  if (second) {
    fail(scope, 'CROB2201', second.span, { expected: 'one `...` in a shape', actual: 'a second' });
    return undefined;
  }
  for (const item of items) {
    if (item.kind === 'spread') {
      const name = item.name?.name ?? '...';
      let spread = scope.dims.spreads.get(name);
      if (!spread) {
        if (rank === undefined) {
          fail(
            scope,
            'CROB2116',
            item.span,
            { name: `...${item.name?.name ?? ''}` },
            { help: 'a parameter in front must bind it' },
          );
          return undefined;
        }
        const names = Array.from({ length: Math.max(0, rank - fixed) }, (_, i) =>
          item.name ? `${name}[${i}]` : `_${i}`,
        );
        spread = names.map(dims.variable);
        scope.dims.spreads.set(name, spread);
        for (const [known, d] of pairs(names, spread)) scope.dims.known.set(known, d);
      }
      shape.push(...spread);
      continue;
    }
    const value = evaluate(scope, item.value);
    if (value.kind === 'error') return undefined;
    if (value.kind !== 'dim') {
      fail(scope, 'CROB2201', item.span, { expected: 'an int or a dim', actual: describe(value) });
      return undefined;
    }
    if (!requireSize(scope, value.dim, item.span, () => argText(scope, item.value))) return undefined;
    shape.push(value.dim);
  }
  return shape;
}

/** Describes the tensor parameter of that name, for messages about static values; undefined if there is none. */
export function tensorNamed(params: readonly Param[], file: FileScope, name: string): string | undefined {
  const param = params.find((one) => one.name.name === name && isGraphType(one.type, file));
  return param && `the parameter ${name}`;
}

/** The conditions of a `where`. */
export interface Conditions {
  readonly found: readonly Condition[];
  /** Whether these are all: a conjunct with an error has no meaning, so what follows from it is unknown. */
  readonly areAll: boolean;
}

/**
 * Returns the conjuncts of `where` as conditions on dims. Static conjuncts are decided here; `failed` is called for
 * false ones.
 */
export function conditions(scope: Scope, where: readonly Expr[], failed: (expr: Expr) => void): Conditions {
  const found: Condition[] = [];
  let areAll = true;
  for (const expr of where) if (!collect(scope, expr, found, failed)) areAll = false;
  return { found, areAll };
}

/**
 * Returns the facts of a scope with conditions assumed. If they allow no sizes, that is reported and `sound` is
 * false.
 */
export function assumeAll(
  scope: Scope,
  where: readonly Condition[],
): { readonly facts: Facts; readonly sound: boolean } {
  let { facts } = scope;
  for (const [i, { clause, span }] of where.entries()) {
    const before = facts;
    facts = facts.assume(clause);
    if (!facts.isContradictory()) continue;
    const alone = scope.facts.assume(clause);
    // A condition that rules out this one by itself; several together may do so as well, and then none is named.
    const other = where.slice(0, i).find((earlier) => alone.assume(earlier.clause).isContradictory());
    const notes = other && !alone.isContradictory() ? [{ span: other.span, text: 'contradicts this condition' }] : [];
    const details = notes.length === 0 ? knownBeside(before, clause) : [];
    fail(scope, 'CROB2119', span, { clause: scope.context.run.program.text(span) }, { notes, details });
    return { facts, sound: false };
  }
  return { facts, sound: true };
}

/** Adds the conditions of one conjunct; false if it contains an error. */
function collect(scope: Scope, expr: Expr, into: Condition[], failed: (expr: Expr) => void): boolean {
  if (expr.kind === 'binary' && expr.op === '&&') {
    const isLeft = collect(scope, expr.left, into, failed);
    return collect(scope, expr.right, into, failed) && isLeft;
  }
  if (expr.kind === 'binary' && isComparison(expr.op)) {
    const clause = comparison(scope, expr.op, expr.left, expr.right);
    if (clause === 'error') return false;
    if (clause) {
      const known = isGround(clause) ? scope.facts.holds(clause).answer === 'proved' : undefined;
      if (known === undefined) into.push({ clause, span: expr.span, atSizes: isOfTraining(scope, expr) });
      else if (!known) failed(expr);
      return true;
    }
  }
  const wanted = 'a condition (==, <=, <, >=, >, % ==)';
  if (expr.kind === 'binary' && expr.op === '!=') {
    fail(scope, 'CROB2201', expr.span, { expected: wanted, actual: 'a `!=`' });
    return false;
  }
  const value = evaluate(scope, expr);
  if (value.kind === 'error') return false;
  if (value.kind === 'bool') {
    if (!value.value) failed(expr);
    return true;
  }
  fail(scope, 'CROB2201', expr.span, { expected: wanted, actual: describe(value) });
  return false;
}

/** Whether a condition applies only in training. */
function isOfTraining({ context }: Scope, expr: Expr): boolean {
  return context.training && /\btraining\b/.test(context.run.program.text(expr.span));
}

function isComparison(op: BinaryOp): boolean {
  return op === '==' || op === '<=' || op === '<' || op === '>=' || op === '>';
}

function isGround(clause: Clause): boolean {
  const sides = clause.kind === 'mod' ? [clause.value] : [clause.left, clause.right];
  return sides.every((side) => dims.asConstant(side) !== undefined);
}

function comparison(scope: Scope, op: BinaryOp, left: Expr, right: Expr): Clause | 'error' | undefined {
  if (op === '==' && left.kind === 'binary' && left.op === '%') {
    const value = evaluate(scope, left.left);
    const modulus = asInt(evaluate(scope, left.right));
    const remainder = asInt(evaluate(scope, right));
    if (value.kind === 'error') return 'error';
    if (value.kind === 'dim' && modulus !== undefined && modulus > 0 && remainder !== undefined) {
      return { kind: 'mod', value: value.dim, modulus, remainder };
    }
  }
  const a = evaluate(scope, left);
  const b = evaluate(scope, right);
  if (a.kind === 'error' || b.kind === 'error') return 'error';
  if (a.kind !== 'dim' || b.kind !== 'dim') return undefined;
  switch (op) {
    case '==':
      return { kind: 'eq', left: a.dim, right: b.dim };
    case '<=':
      return { kind: 'le', left: a.dim, right: b.dim };
    case '<':
      return { kind: 'lt', left: a.dim, right: b.dim };
    case '>=':
      return { kind: 'le', left: b.dim, right: a.dim };
    default:
      return { kind: 'lt', left: b.dim, right: a.dim };
  }
}

export function substituteClause(clause: Clause, by: ReadonlyMap<string, Dim>): Clause {
  if (clause.kind === 'mod') return { ...clause, value: dims.substitute(clause.value, by) };
  return { ...clause, left: dims.substitute(clause.left, by), right: dims.substitute(clause.right, by) };
}

/** Returns the ranks of the tensors in an argument, in order. */
export function ranksOf(value: Val): { next(): number | undefined } {
  const ranks: number[] = [];
  const walk = (v: Val): void => {
    if (v.kind === 'tensor') ranks.push(v.value.type.shape.length);
    else if (v.kind === 'list') v.items.forEach(walk);
    else if (v.kind === 'tuple') for (const item of v.items.values()) walk(item);
  };
  walk(value);
  let at = 0;
  return { next: () => ranks[at++] };
}

/** The part of a template's key for spreads, whose lengths determine the shapes of a signature. */
export function spreadKey(type: Type, value: Val, file: FileScope): string {
  const hasSpread = (t: Type, from: FileScope): boolean => {
    if (t.kind === 'tensor-type') return t.shape.some((item) => item.kind === 'spread');
    const { type: one, file: at } = behindNames(t, from);
    if (one.kind === 'tensor-type') return one.shape.some((item) => item.kind === 'spread');
    if (one.kind === 'pyramid-type') return hasSpread(one.element, at);
    if (one.kind === 'sequence-type') return one.items.some((item) => hasSpread(item, at));
    return one.kind === 'tuple-type' && one.items.some((item) => hasSpread(item.type, at));
  };
  if (!hasSpread(type, file)) return '';
  const ranks = ranksOf(value);
  const found: number[] = [];
  for (let r = ranks.next(); r !== undefined; r = ranks.next()) found.push(r);
  return found.join();
}

export function paramNames(params: readonly Param[]): string[] {
  return params.map((param) => param.name.name);
}
