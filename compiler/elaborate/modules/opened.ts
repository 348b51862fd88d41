import type { Span } from '../../../grammar/span.ts';
import type { CallExpr, Expr, ModuleDecl, NameExpr, Param } from '../../../grammar/tree.ts';
import type { Given, Opened, OverrideLine, Overrides, Val } from '../context/elaborated.ts';
import type { Scope } from '../context/scope.ts';
import { error } from '../context/values.ts';
import { evaluate, truth } from '../eval/evaluate.ts';
import { comprehension } from '../eval/loops.ts';
import type { FileScope } from '../source/file-scope.ts';
import { slotOf } from './slots.ts';

export interface Opening {
  readonly scope: Scope;
  /**
   * Nearness of the model that contains the arguments; -1 for the module's own declaration, which any line takes
   * precedence over.
   */
  readonly nearness: number;
  /**
   * Evaluates an argument; `name` is its parameter's name, prefixed by those of the enclosing calls: `first.hidden`.
   */
  readonly ask: (name: string, span: Span, work: () => Given) => Given;
}

/**
 * Returns an expression opened for a shadow: `Block(dim, hidden = 4)` then depends on neither argument, and a list
 * does not depend on its items.
 */
export function opened(opening: Opening, expr: Expr): Opened {
  const { scope } = opening;
  const whole = (value: Val, args?: Overrides): Opened => ({ given: { value, span: expr.span }, args });
  switch (expr.kind) {
    case 'call': {
      const call = openCall(opening, expr, '');
      return call ? whole(evaluate(scope, call.bare), call.args) : whole(evaluate(scope, expr));
    }
    case 'list':
      return openItems(opening, expr, (next) => ({ kind: 'list', items: expr.items.map((item) => next(scope, item)) }));
    case 'comprehension':
      return openItems(opening, expr, (next) => comprehension(scope, expr, next));
    case 'if': {
      const { condition, then, otherwise } = expr;
      const [of, or] = [alone(then), alone(otherwise)];
      if (!of || !or) break;
      const holds = truth(scope, evaluate(scope, condition), condition.span);
      return holds === undefined ? whole(error) : opened(opening, holds ? of : or);
    }
  }
  return whole(evaluate(scope, expr));
}

function alone({ statements, value }: { readonly statements: readonly unknown[]; readonly value: Expr | undefined }) {
  return statements.length === 0 ? value : undefined;
}

function openItems(opening: Opening, { span }: Expr, list: (next: (scope: Scope, item: Expr) => Val) => Val): Opened {
  const items: Opened[] = [];
  const value = list((scope, item) => {
    const one = opened({ ...opening, scope }, item);
    items.push(one);
    return one.given.value;
  });
  const below = items.flatMap(({ args }, i) => (args ? [[String(i), args] as const] : []));
  const args = below.length > 0 ? { line: undefined, below: new Map(below), span } : undefined;
  return { given: { value, span }, args };
}

/** Undefined if the expression is not a call of a module, or has arguments that the module does not have. */
function openCall(
  opening: Opening,
  expr: Expr,
  within: string,
): { readonly bare: CallExpr; readonly args: Overrides } | undefined {
  if (expr.kind !== 'call' || expr.callee.kind !== 'name') return undefined;
  const found = moduleNamed(opening.scope, expr.callee);
  if (!found) return undefined;
  const below = new Map<string, Overrides>();
  for (const [i, { name, value }] of expr.args.entries()) {
    const param = paramOf(found.decl, name?.name, i);
    if (!param || below.has(param.name.name)) return undefined;
    const path = `${within}${param.name.name}`;
    const { slot, holes } = slotOf(param, found.file);
    // A module that still lacks arguments is a plain value until its owner provides them.
    const inner = slot && !holes ? openCall(opening, value, `${path}.`) : undefined;
    const line = argumentLine(opening, inner?.bare ?? value, path);
    below.set(param.name.name, { line, below: inner?.args.below ?? new Map(), span: value.span });
  }
  return { bare: { ...expr, args: [] }, args: { line: undefined, below, span: expr.span } };
}

/**
 * The module that a name refers to: one of the file, or the spec in a parameter, whose missing arguments the call
 * provides: `exchange(dim = dim)`.
 */
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

function argumentLine({ scope, nearness, ask }: Opening, value: Expr, path: string): OverrideLine {
  const { span } = value;
  let given: Given | undefined;
  const asked = (): Given => {
    given ??= ask(path, span, () => ({ value: evaluate(scope, value), span }));
    return given;
  };
  return { span, whole: span, model: '', nearness, given: asked, opened: () => ({ given: asked(), args: undefined }) };
}
