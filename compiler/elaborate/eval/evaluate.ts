import type { Span } from '../../../grammar/span.ts';
import type { BinaryExpr, CallExpr, Expr, IfExpr } from '../../../grammar/tree.ts';
import * as dims from '../../dims/dim.ts';
import { isCountable } from '../../ir/extent.ts';
import { apply } from '../calls/apply.ts';
import type { Given, Val } from '../context/elaborated.ts';
import { type CallArgs, nested, type Scope } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { dimVal, error, noneGiven } from '../context/values.ts';
import { withinSteps } from '../report/limits.ts';
import { fail } from '../report/report.ts';
import { declaredChoices, meantChoice, oneOf } from '../source/choices.ts';
import { binary, rounded, roundedQuotient, unary } from './arithmetic.ts';
import { index } from './indexing.ts';
import { comprehension, listOfRange } from './loops.ts';
import { valueOfMember, valueOfName } from './names.ts';
import { run } from './statements.ts';
import { assertShape, fromIndices } from './tensor-expressions.ts';

const nestingLimit = 800;

export function evaluate(scope: Scope, expr: Expr): Val {
  const { budget } = scope.context.run;
  budget.steps++;
  if (!withinSteps(scope, expr.span)) return error;
  if (budget.nesting >= nestingLimit) {
    if (!budget.exceeded)
      fail(scope, 'CROB2225', expr.span, { what: 'the nesting of expressions and calls', limit: nestingLimit });
    budget.exceeded = true;
    return error;
  }
  budget.nesting++;
  try {
    const value = evaluated(scope, expr);
    // The value of a name was checked where it was computed, and most expressions are names.
    if (expr.kind === 'name') return value;
    switch (value.kind) {
      case 'dim':
        return value.dim === dims.overflow ? withinIntegers(scope, value, expr.span) : value;
      case 'tensor':
      case 'list':
      case 'tuple':
        return withinIntegers(scope, value, expr.span, expr.kind === 'call');
      default:
        return value;
    }
  } finally {
    budget.nesting--;
  }
}

/**
 * Returns the value. A number beyond 2^53, or a tensor with more elements, is reported once, where it first occurs.
 * List items are checked only for results of calls; other items are expressions of their own.
 */
export function withinIntegers(scope: Scope, value: Val, span: Span, items = false): Val {
  return isBeyond(value, items) ? fail(scope, 'CROB2224', span, {}) : value;
}

function isBeyond(value: Val, items: boolean): boolean {
  if (value.kind === 'dim') return dims.isOverflow(value.dim);
  if (value.kind === 'tensor') return !isCountable(value.value.type.shape);
  if (!items) return false;
  if (value.kind === 'list') return value.items.some((item) => isBeyond(item, true));
  return value.kind === 'tuple' && [...value.items.values()].some((item) => isBeyond(item, true));
}

function evaluated(scope: Scope, expr: Expr): Val {
  // Most frequent kinds first, since cases are compared in order.
  switch (expr.kind) {
    case 'name':
      return valueOfName(scope, expr.name, expr.span);
    case 'call':
      return call(scope, expr);
    case 'int':
      return dimVal(dims.constant(expr.value));
    case 'member':
      return valueOfMember(scope, expr);
    case 'binary':
      if (expr.op === '==' || expr.op === '!=') checkChoice(scope, expr);
      return lazyLogic(scope, expr) ?? binary(scope, expr, evaluate(scope, expr.left), evaluate(scope, expr.right));
    case 'index':
      return index(scope, expr);
    case 'if':
      return conditional(scope, expr);
    case 'float':
    case 'factor':
      return { kind: 'float', value: expr.value };
    case 'string':
      return { kind: 'string', value: expr.value };
    case 'bool':
      return { kind: 'bool', value: expr.value };
    case 'none':
      return { kind: 'none' };
    case 'list':
      return { kind: 'list', items: expr.items.map((item) => evaluate(scope, item)) };
    case 'tuple':
      return { kind: 'tuple', items: new Map(expr.items.map((item) => [item.name.name, evaluate(scope, item.value)])) };
    case 'comprehension':
      return comprehension(scope, expr);
    case 'range':
      return listOfRange(scope, expr.start, expr.stop, expr.span);
    case 'unary':
      return unary(scope, expr, evaluate(scope, expr.operand));
    case 'cast':
      return assertShape(scope, expr);
    case 'tensor':
      return fromIndices(scope, expr);
  }
}

/**
 * Reports a comparison of a part's member with a string that it can never equal. Comparisons of a module's own
 * parameters are found in the source text.
 */
function checkChoice(scope: Scope, { left, right }: BinaryExpr): void {
  const [name, text] = left.kind === 'member' ? [left, right] : [right, left];
  if (name.kind !== 'member' || text.kind !== 'string') return;
  if (!isPath(name.object)) return;
  const object = evaluate(scope, name.object);
  if (object.kind !== 'instance') return;
  const { decl, file } = object.instance;
  const choices = declaredChoices(decl, name.name.name, file);
  if (!choices || choices.includes(text.value)) return;
  const args = { name: name.name.name, value: JSON.stringify(text.value), choices: oneOf(choices) };
  fail(scope, 'CROB2241', text.span, args, { help: meantChoice(text.value, choices) });
}

/** Whether an expression is a dotted name, which can be evaluated twice. */
function isPath(expr: Expr): boolean {
  return expr.kind === 'name' || (expr.kind === 'member' && isPath(expr.object));
}

/** Short-circuits `&&` and `||` of static values. */
function lazyLogic(scope: Scope, expr: Extract<Expr, { kind: 'binary' }>): Val | undefined {
  if (expr.op !== '&&' && expr.op !== '||') return undefined;
  const left = evaluate(scope, expr.left);
  if (left.kind === 'bool' && left.value === (expr.op === '||')) return left;
  return binary(scope, expr, left, evaluate(scope, expr.right));
}

/** Returns the value of a static condition; undefined, after a report, if it is not one. */
export function truth(scope: Scope, value: Val, span: Span): boolean | undefined {
  if (value.kind === 'bool') return value.value;
  if (value.kind === 'error') return undefined;
  if (value.kind === 'tensor')
    fail(scope, 'CROB2208', span, { what: 'a condition' }, { help: 'choose per element with select(condition, a, b)' });
  else fail(scope, 'CROB2201', span, { expected: 'a bool', actual: describe(value) });
  return undefined;
}

function conditional(scope: Scope, expr: IfExpr): Val {
  const holds = truth(scope, evaluate(scope, expr.condition), expr.condition.span);
  if (holds === undefined) return error;
  return run(nested(scope), holds ? expr.then : expr.otherwise) ?? error;
}

function call(scope: Scope, expr: CallExpr): Val {
  const { callee } = expr;
  const [first, second] = expr.args;
  if (callee.kind === 'name' && (callee.name === 'floor' || callee.name === 'ceil') && first && !second) {
    const arg = first.value;
    if (arg.kind === 'binary' && arg.op === '/') {
      return roundedQuotient(scope, callee.name, arg, evaluate(scope, arg.left), evaluate(scope, arg.right));
    }
    return rounded(scope, callee.name, evaluate(scope, arg), expr.span);
  }
  const target = callee.kind === 'name' ? valueOfName(scope, callee.name, callee.span, true) : evaluate(scope, callee);
  if (target.kind === 'spec' && callee.kind === 'call') {
    return fail(scope, 'CROB2210', expr.span, { name: target.spec.decl.name.name });
  }
  const positional: Given[] = [];
  let named: Map<string, Given> | undefined;
  for (let i = 0; i < expr.args.length; i++) {
    const arg = expr.args[i];
    if (!arg) continue;
    const given = { value: evaluate(scope, arg.value), span: arg.value.span };
    if (!arg.name) {
      positional.push(given);
      continue;
    }
    if (named?.has(arg.name.name)) return fail(scope, 'CROB2012', arg.name.span, { name: arg.name.name });
    named ??= new Map();
    named.set(arg.name.name, given);
  }
  const args: CallArgs = { positional, named: named ?? noneGiven, source: expr.args };
  return target.kind === 'error' ? error : apply(scope, target, args, expr.span);
}
