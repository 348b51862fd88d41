import type { Span } from '../../../grammar/span.ts';
import type { CallExpr, Expr, ModuleDecl, NameExpr, Param } from '../../../grammar/tree.ts';
import type { OverrideLine, Overrides } from '../context/overrides.ts';
import type { Scope } from '../context/scope.ts';
import type { Given, Val } from '../context/values.ts';
import { evaluate, truth } from '../eval/evaluate.ts';
import { comprehension } from '../eval/loops.ts';
import type { FileScope } from '../source/program.ts';
import { slotOf } from './slots.ts';

/** A value whose modules lack the arguments that they are called with: these are lines below it, each evaluated when it is asked for. */
export interface Opened {
  readonly value: Val;
  readonly args: Overrides | undefined;
}

/** Evaluates an argument; `name` is that of its parameter, behind those of the calls around it: `first.hidden`. */
export type AskArgument = (name: string, span: Span, work: () => Given) => Given;

/** What a shadow is made of: `Block(dim, hidden = 4)` in it depends on neither argument, nor do the items of a list. */
export function opened(scope: Scope, expr: Expr, ask: AskArgument): Opened {
  switch (expr.kind) {
    case 'call': {
      const call = openCall(scope, expr, ask, '');
      return call
        ? { value: evaluate(scope, call.bare), args: call.args }
        : { value: evaluate(scope, expr), args: undefined };
    }
    case 'list':
      return openItems(
        expr.span,
        (next) => ({ kind: 'list', items: expr.items.map((item) => next(scope, item)) }),
        ask,
      );
    case 'comprehension':
      return openItems(expr.span, (next) => comprehension(scope, expr, next), ask);
    case 'if': {
      const { condition, then, otherwise } = expr;
      const [of, or] = [alone(then), alone(otherwise)];
      const holds = of && or ? truth(scope, evaluate(scope, condition), condition.span) : undefined;
      if (!of || !or) break;
      return holds === undefined ? { value: { kind: 'error' }, args: undefined } : opened(scope, holds ? of : or, ask);
    }
  }
  return { value: evaluate(scope, expr), args: undefined };
}

function alone({ statements, value }: { readonly statements: readonly unknown[]; readonly value: Expr | undefined }) {
  return statements.length === 0 ? value : undefined;
}

function openItems(span: Span, list: (next: (scope: Scope, item: Expr) => Val) => Val, ask: AskArgument): Opened {
  const items: Opened[] = [];
  const value = list((scope, item) => {
    const one = opened(scope, item, ask);
    items.push(one);
    return one.value;
  });
  const below = items.flatMap(({ args }, i) => (args ? [[String(i), args] as const] : []));
  return { value, args: below.length > 0 ? { line: undefined, below: new Map(below), span } : undefined };
}

/** Undefined for what is no call of a module, or has arguments that the module does not take. */
function openCall(
  scope: Scope,
  expr: Expr,
  ask: AskArgument,
  within: string,
): { readonly bare: CallExpr; readonly args: Overrides } | undefined {
  if (expr.kind !== 'call' || expr.callee.kind !== 'name') return undefined;
  const found = moduleNamed(scope, expr.callee);
  if (!found) return undefined;
  const below = new Map<string, Overrides>();
  for (const [i, { name, value }] of expr.args.entries()) {
    const param = paramOf(found.decl, name?.name, i);
    if (!param || below.has(param.name.name)) return undefined;
    const path = `${within}${param.name.name}`;
    const { slot, holes } = slotOf(param, found.file);
    // What has holes is a value until its host fills them, and has no inside.
    const inner = slot && !holes ? openCall(scope, value, ask, `${path}.`) : undefined;
    const line = argumentLine(scope, inner?.bare ?? value, (work) => ask(path, value.span, work));
    below.set(param.name.name, { line, below: inner?.args.below ?? new Map(), span: value.span });
  }
  return { bare: { ...expr, args: [] }, args: { line: undefined, below, span: expr.span } };
}

/** A module of the file, or what a parameter holds, whose holes the call fills: `exchange(dim = dim)`. */
function moduleNamed(
  { locals, member, file }: Scope,
  { name, span }: NameExpr,
): { readonly decl: ModuleDecl; readonly file: FileScope } | undefined {
  const value = locals.get(name) ?? member(name, span);
  if (value) return value.kind === 'spec' ? value.spec : undefined;
  const found = file.lookup(name);
  return found?.decl.kind === 'module' ? { decl: found.decl, file: found.file } : undefined;
}

function paramOf({ params }: ModuleDecl, name: string | undefined, i: number): Param | undefined {
  return name === undefined ? params[i] : params.find((param) => param.name.name === name);
}

/** Further away than any line of a model. */
function argumentLine(scope: Scope, value: Expr, ask: (work: () => Given) => Given): OverrideLine {
  const { span } = value;
  let given: Given | undefined;
  return {
    span,
    whole: span,
    model: '',
    nearness: -1,
    given: () => {
      given ??= ask(() => ({ value: evaluate(scope, value), span }));
      return given;
    },
  };
}
