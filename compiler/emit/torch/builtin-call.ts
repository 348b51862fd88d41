import type { Span } from '../../../grammar/span.ts';
import type { CallExpr, Expr } from '../../../grammar/tree.ts';
import { isRefused, type PatternResult } from '../../elaborate/patterns/fault.ts';
import { given, type Kind, listOf, tensor, unknown } from './kinds.ts';
import { attribute, call, type Py } from './python/tree.ts';
import type { Scope, Value } from './scope.ts';

/** A call of a built-in function, with its arguments by the names of its parameters. */
export interface BuiltinCall {
  readonly scope: Scope;
  readonly span: Span;
  readonly args: ReadonlyMap<string, Expr>;
  /** All arguments without a name. */
  readonly positional: readonly Expr[];
  /** Named arguments that are no parameters: the sizes of a pattern's names. */
  readonly rest: ReadonlyMap<string, Expr>;
}

export function builtinCall(scope: Scope, names: readonly string[], expr: CallExpr): BuiltinCall {
  const args = new Map<string, Expr>();
  const rest = new Map<string, Expr>();
  const positional = expr.args.flatMap((arg) => (arg.name ? [] : [arg.value]));
  for (const [i, value] of positional.entries()) {
    const name = names[i];
    if (name !== undefined) args.set(name, value);
  }
  for (const { name, value } of expr.args) {
    if (!name) continue;
    if (names.includes(name.name) && !args.has(name.name)) args.set(name.name, value);
    else rest.set(name.name, value);
  }
  return { scope, span: expr.span, args, positional, rest };
}

/** The value of an argument that the checker has found to be there. */
export function argument(cx: BuiltinCall, name: string): Value {
  const expr = cx.args.get(name);
  return expr ? cx.scope.translate(expr) : refused(cx, `call this without \`${name}\``);
}

export function optionalArgument(cx: BuiltinCall, name: string): Value | undefined {
  const expr = cx.args.get(name);
  return expr && cx.scope.translate(expr);
}

export function refused(cx: BuiltinCall, what: string): Value {
  return cx.scope.pack.refuse(cx.span, what);
}

/** The pattern of a call, which must be a literal; undefined after a report. */
export function patternOf<T>(cx: BuiltinCall, parse: (text: string) => PatternResult<T>): T | undefined {
  const expr = cx.args.get('pattern');
  const read = expr?.kind === 'string' ? parse(expr.value) : undefined;
  if (read !== undefined && !isRefused(read)) return read;
  refused(cx, 'take a pattern that is no literal');
  return undefined;
}

export function sizesOf(cx: BuiltinCall): ReadonlyMap<string, Py> {
  return new Map([...cx.rest].map(([name, expr]) => [name, cx.scope.translate(expr).py]));
}

/** A number as a Python float. */
export function asFloat(py: Py): Py {
  if (py.kind !== 'atom' || !/^[\d.]/.test(py.text)) return call('float', [py]);
  return /^\d+$/.test(py.text) ? { kind: 'atom', text: `${py.text}.0` } : py;
}

export const torch = (name: string): Py => attribute({ kind: 'atom', text: 'torch' }, name);
export const functional = (name: string): Py => attribute({ kind: 'atom', text: 'F' }, name);

/** The rank of a tensor's kind. */
export function rankOf(kind: Kind): number | undefined {
  const own = given(kind);
  return own.kind === 'tensor' ? own.rank : undefined;
}

export function dtypeOf(kind: Kind): 'f32' | 'i32' | 'bool' {
  const own = given(kind);
  return own.kind === 'tensor' ? own.dtype : 'f32';
}

export function elementOf(kind: Kind): Kind {
  const own = given(kind);
  return own.kind === 'list' ? own.of : unknown;
}

/** A tensor as the result of a function of torch, which type checkers know to be one. */
export function made(py: Py, rank: number | undefined, dtype: 'f32' | 'i32' | 'bool' = 'f32'): Value {
  return { py, kind: tensor(dtype, rank), any: false };
}

/** A tensor as the result of a method of `of`: without a type if `of` has none. */
export function madeBy(of: Value, py: Py, rank: number | undefined, dtype = dtypeOf(of.kind)): Value {
  return { py, kind: tensor(dtype, rank), any: of.any };
}

export function madeList(of: Value, py: Py, item: Kind): Value {
  return { py, kind: listOf(item), any: of.any };
}

export function callTorch(name: string, args: readonly Py[], named: Readonly<Record<string, Py | undefined>> = {}): Py {
  return call(torch(name), args, named);
}
