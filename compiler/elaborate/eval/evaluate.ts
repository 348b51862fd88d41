import { foreignPrefixes } from '../../../grammar/foreign.ts';
import type { Span } from '../../../grammar/span.ts';
import type {
  BinaryExpr,
  CallExpr,
  ComprehensionExpr,
  Expr,
  ForClause,
  IfExpr,
  MemberExpr,
  TensorExpr,
} from '../../../grammar/tree.ts';
import type { Dim } from '../../dims/dim.ts';
import * as dims from '../../dims/dim.ts';
import { andThen } from '../../ir/builder.ts';
import { isCountable } from '../../ir/extent.ts';
import { initialisers } from '../../ir/initialisers.ts';
import { apply } from '../calls/apply.ts';
import { type CallArgs, nested, type Scope, writerOf } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { dimVal, error, type Given, namesOf, specOf, type Val } from '../context/values.ts';
import { readMember } from '../modules/members.ts';
import { overItems } from '../report/items.ts';
import { withinSteps } from '../report/limits.ts';
import { axisWord, provenance } from '../report/provenance.ts';
import { argText, counted, fail, guarded, noNames, requireEqual } from '../report/report.ts';
import { swapHelp } from '../report/swapped.ts';
import { declaredChoices, meantChoice, oneOf } from '../source/choices.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { foreignHelp, unknownNameHelp } from '../source/unknown-names.ts';
import { binary, rounded, roundedQuotient, scalar, unary } from './arithmetic.ts';
import { builtins, initialiser } from './builtins/table.ts';
import { index } from './indexing.ts';
import { knownInt } from './known-sizes.ts';
import { run } from './statements.ts';

/** Longest static loop: beyond it a list would be a mistake or an attack. */
export const loopLimit = 4096;

const nestingLimit = 800;

const noneGiven: ReadonlyMap<string, Given> = new Map();

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
    // What a name stands for was looked at where it was made, and most expressions are names.
    return expr.kind === 'name' ? value : withinIntegers(scope, value, expr.span, expr.kind === 'call');
  } finally {
    budget.nesting--;
  }
}

/**
 * The value, unless it is a number beyond 2^53, or a tensor whose elements are more: that is reported, once, where it comes up.
 * Items of lists are looked at when a call makes them; others are expressions of their own.
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
  // The most frequent first: they are compared in order.
  switch (expr.kind) {
    case 'name':
      return name(scope, expr.name, expr.span);
    case 'call':
      return call(scope, expr);
    case 'int':
      return dimVal(dims.constant(expr.value));
    case 'member':
      return member(scope, expr);
    case 'binary':
      checkChoice(scope, expr);
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
      return range(scope, expr.start, expr.stop, expr.span);
    case 'unary':
      return unary(scope, expr, evaluate(scope, expr.operand));
    case 'cast':
      return assertShape(scope, expr);
    case 'tensor':
      return fromIndices(scope, expr);
  }
}

/** A comparison of what a part has with a string that it can never be; those of one's own parameters are found in the text. */
function checkChoice(scope: Scope, { op, left, right }: BinaryExpr): void {
  if (op !== '==' && op !== '!=') return;
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

/** Names with dots, which can be evaluated twice. */
function isPath(expr: Expr): boolean {
  return expr.kind === 'name' || (expr.kind === 'member' && isPath(expr.object));
}

/** `&&` and `||` of statics stop at the first side that decides. */
function lazyLogic(scope: Scope, expr: Extract<Expr, { kind: 'binary' }>): Val | undefined {
  if (expr.op !== '&&' && expr.op !== '||') return undefined;
  const left = evaluate(scope, expr.left);
  if (left.kind === 'bool' && left.value === (expr.op === '||')) return left;
  return binary(scope, expr, left, evaluate(scope, expr.right));
}

/** `called` says that arguments follow, so that an upper-case name is a module and not a dim. */
function name(scope: Scope, text: string, span: Span, called = false): Val {
  const found = lookup(scope, text, span);
  if (found) return found;
  if (/^[A-Z]/.test(text)) {
    const dim = called ? undefined : scope.dims.get(text);
    if (dim) return dimVal(dim);
    if (called)
      return fail(
        scope,
        'CROB2001',
        span,
        { name: text },
        { help: unknownNameHelp(scope.context.run.program, scope.file, text, scope.file.names()) },
      );
    const dimNames = [...scope.dims.known.keys()];
    const help =
      unknownNameHelp(scope.context.run.program, scope.file, text, [...dimNames, ...scope.file.names()]) ??
      (dimNames.length > 0 ? `the dims here are ${dimNames.join(', ')}` : undefined);
    return fail(scope, 'CROB2116', span, { name: text }, { help });
  }
  const visible = [
    ...scope.locals.names(),
    ...scope.memberNames(),
    ...scope.file.names(),
    ...builtins.keys(),
    'training',
  ];
  if (scope.inits) visible.push(...Object.keys(initialisers));
  return fail(
    scope,
    'CROB2001',
    span,
    { name: text },
    {
      help: unknownNameHelp(scope.context.run.program, scope.file, text, visible) ?? scope.hint(text) ?? dimHelp(scope),
    },
  );
}

/** In a signature a lower-case name is meant as a parameter, or as a dim by those who do not know better. */
function dimHelp(scope: Scope): string | undefined {
  return scope.dims.open ? 'a dim begins with an upper-case letter; other sizes are parameters' : undefined;
}

/** `nn.Linear`, `F.interpolate`, `self.norm`: one message, about the name behind the last dot. */
function prefixed(scope: Scope, expr: MemberExpr): Val | undefined {
  let root = expr.object;
  while (root.kind === 'member') root = root.object;
  if (root.kind !== 'name') return undefined;
  const isSelf = root.name === 'self';
  if (!isSelf && !foreignPrefixes.has(root.name)) return undefined;
  if (lookup(scope, root.name, root.span)) return undefined;
  const text = expr.name.name;
  const found = isSelf ? undefined : lookup(scope, text, expr.name.span);
  const help = isSelf
    ? `the members of a module are named directly: \`${text}\``
    : found
      ? `names have no prefix here: \`${text}\``
      : unknownNameHelp(scope.context.run.program, scope.file, text, [...scope.file.names(), ...builtins.keys()]);
  return fail(scope, 'CROB2001', expr.span, { name: scope.context.run.program.text(expr.span) }, { help });
}

function lookup(scope: Scope, text: string, span: Span): Val | undefined {
  const local = scope.locals.get(text) ?? scope.member(text, span);
  if (local) return local;
  if (/^[A-Z]/.test(text) && scope.dims.known.has(text)) return dimVal(scope.dims.known.get(text)!);
  if (scope.inits) {
    const init = initialiser(text);
    if (init) return init;
  }
  const found = scope.file.lookup(text);
  // Where a signature's dims are being named, only a module or function of that name comes before them.
  if (found && (found.decl.kind === 'fn' || found.decl.kind === 'module' || !scope.dims.open || !/^[A-Z]/.test(text))) {
    switch (found.decl.kind) {
      case 'fn':
        return { kind: 'function', decl: found.decl, file: found.file };
      case 'module':
        return {
          kind: 'spec',
          spec: specOf({ decl: found.decl, file: found.file }, noneGiven, { span, writer: writerOf(scope) }),
        };
      default:
        return fail(
          scope,
          'CROB2008',
          span,
          { name: text, actual: found.decl.kind, expected: 'a value' },
          {
            notes: [{ span: found.decl.name.span, text: 'declared here' }],
          },
        );
    }
  }
  if (text === 'training') {
    const { training, reads } = scope.context;
    reads.push({ kind: 'training', value: training });
    return { kind: 'bool', value: training };
  }
  const builtin = builtins.get(text);
  return builtin ? { kind: 'builtin', name: builtin.name } : initialiser(text);
}

function range(scope: Scope, start: Expr, stop: Expr, span: Span): Val {
  const from = evaluate(scope, start);
  const to = evaluate(scope, stop);
  if (from.kind === 'error' || to.kind === 'error') return error;
  const a = knownInt(scope, from);
  const b = knownInt(scope, to);
  if (a === undefined || b === undefined) {
    const symbolic = from.kind === 'dim' && a === undefined ? from : to;
    if (symbolic.kind === 'dim') return fail(scope, 'CROB2203', span, { dim: scope.facts.show(symbolic.dim) });
    return fail(scope, 'CROB2201', span, { expected: 'an int', actual: describe(a === undefined ? from : to) });
  }
  if (b - a > loopLimit) return fail(scope, 'CROB2204', span, { count: b - a, limit: loopLimit });
  return { kind: 'list', items: Array.from({ length: Math.max(0, b - a) }, (_, i) => dimVal(dims.constant(a + i))) };
}

/** What a `for` runs over. */
export function iterate(scope: Scope, clause: ForClause): readonly Val[] | undefined {
  const over = evaluate(scope, clause.iterable);
  if (over.kind === 'error') return undefined;
  if (over.kind !== 'list') {
    fail(scope, 'CROB2201', clause.iterable.span, { expected: 'a list or a range', actual: describe(over) });
    return undefined;
  }
  if (over.items.length > loopLimit) {
    fail(scope, 'CROB2204', clause.iterable.span, { count: over.items.length, limit: loopLimit });
    return undefined;
  }
  return over.items;
}

function comprehension(scope: Scope, expr: ComprehensionExpr): Val {
  return overItems(scope, (inner, next) => comprehended(inner, expr, next));
}

/** `next` is called before each item. */
function comprehended(scope: Scope, expr: ComprehensionExpr, next: () => void): Val {
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
      items.push(evaluate(inner, expr.element));
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

/** A static condition; reports and yields undefined when it is none. */
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

function member(scope: Scope, expr: MemberExpr): Val {
  const foreign = prefixed(scope, expr);
  if (foreign) return foreign;
  const object = evaluate(scope, expr.object);
  const text = expr.name.name;
  switch (object.kind) {
    case 'error':
      return error;
    case 'instance': {
      const found = readMember(scope, scope.context, object.instance, text);
      if (found) return found;
      const { decl } = object.instance;
      const isWeight = decl.members.some((m) => (m.kind === 'param' || m.kind === 'buffer') && m.name.name === text);
      const help = isWeight
        ? `weights belong to the methods of their module: give ${decl.name.name} a method that returns it`
        : didYouMean(text, namesOf(object.instance));
      return fail(
        scope,
        'CROB2005',
        expr.name.span,
        { name: text, what: `module ${decl.name.name}` },
        {
          help,
          notes: [{ span: decl.name.span, text: 'declared here' }],
        },
      );
    }
    case 'tuple': {
      const found = object.items.get(text);
      if (found) return found;
      const help = didYouMean(text, object.items.keys()) ?? `it has ${[...object.items.keys()].join(', ')}`;
      return fail(scope, 'CROB2005', expr.name.span, { name: text, what: 'the result' }, { help });
    }
    case 'tensor': {
      const shown = argText(scope, expr.object);
      const help =
        foreignHelp(text, shown) ??
        (builtins.has(text)
          ? `a tensor has no members; functions take it: \`${text}(${shown})\``
          : `a tensor has no members: functions take it, such as rearrange(${shown}, "…")`);
      return fail(scope, 'CROB2005', expr.name.span, { name: text, what: 'a tensor' }, { help });
    }
    default:
      return fail(scope, 'CROB2005', expr.name.span, { name: text, what: describe(object) });
  }
}

function call(scope: Scope, expr: CallExpr): Val {
  const { callee } = expr;
  if (callee.kind === 'name' && (callee.name === 'floor' || callee.name === 'ceil') && expr.args.length === 1) {
    const arg = expr.args[0]!.value;
    if (arg.kind === 'binary' && arg.op === '/') {
      return roundedQuotient(scope, callee.name, arg, evaluate(scope, arg.left), evaluate(scope, arg.right));
    }
    return rounded(scope, callee.name, evaluate(scope, arg), expr.span);
  }
  const target = callee.kind === 'name' ? name(scope, callee.name, callee.span, true) : evaluate(scope, callee);
  if (target.kind === 'spec' && callee.kind === 'call') {
    return fail(scope, 'CROB2210', expr.span, { name: target.spec.decl.name.name });
  }
  const positional: Given[] = [];
  let named: Map<string, Given> | undefined;
  for (let i = 0; i < expr.args.length; i++) {
    const arg = expr.args[i]!;
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

/** `x as f32[B, N, C]`: the shape is proved and then goes by the names given. */
function assertShape(scope: Scope, expr: Extract<Expr, { kind: 'cast' }>): Val {
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
  const same = shape.every((d, i) =>
    requireEqual(
      scope,
      actual.shape[i]!,
      d,
      expr.span,
      `cannot take \`${argText(scope, expr.operand)}\` for ${scope.context.run.program.text(expr.type.span)}: ${axisWord(actual.shape, i, actual.shape[i]!, d)}`,
      { tensors, help: swapHelp(actual.shape, shape, i) },
    ),
  );
  if (!same) return error;
  return guarded(scope, expr.span, '', noNames, (build) => build.tryEmit('reshape', [value.value], { shape }));
}

/** `tensor f32[i in N, j in M] { … }`: index arithmetic over iotas, which folds when the extents are static. */
function fromIndices(scope: Scope, expr: TensorExpr): Val {
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
    const size = evaluate(scope, extent);
    if (size.kind === 'error') return error;
    if (size.kind !== 'dim')
      return fail(scope, 'CROB2201', extent.span, { expected: 'an int or a dim', actual: describe(size) });
    shape.push(size.dim);
  }
  for (const [axis, { name: ident }] of expr.indices.entries()) {
    const at = guarded(scope, ident.span, `index ${ident.name}`, noNames, (build) =>
      andThen(build.tryEmit('iota', [], { n: shape[axis]! }), (line) =>
        build.tryEmit('reshape', [line], { shape: [shape[axis]!, ...shape.slice(axis + 1).map(() => dims.one)] }),
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
