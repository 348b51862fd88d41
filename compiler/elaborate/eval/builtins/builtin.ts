import type { Span } from '../../../../grammar/span.ts';
import type { Arg } from '../../../../grammar/tree.ts';
import type { Dim } from '../../../dims/dim.ts';
import type { Builder, Emitted } from '../../../graphs/builder.ts';
import type { Value } from '../../../ir/graph.ts';
import type { NonEmpty } from '../../../lists.ts';
import type { Given, Val } from '../../context/elaborated.ts';
import type { CallArgs, Scope } from '../../context/scope.ts';
import { describe } from '../../context/show-value.ts';
import { asNumber, error, hasError, none } from '../../context/values.ts';
import { argText, counted, fail, guarded } from '../../report/report.ts';
import { didYouMean } from '../../source/did-you-mean.ts';
import { knownInt } from '../known-sizes.ts';
import { refuseAxisNumber } from './axis-numbers.ts';

/** A built-in function; all others are in the standard library. */
export interface Builtin {
  readonly name: string;
  /** Parameter names in order, for positional arguments; `?` marks optional ones. */
  readonly params: readonly string[];
  /** The meaning of other named arguments: the sizes of a pattern's names. */
  readonly rest?: string;
  /** Accepts any number of positional arguments. */
  readonly variadic?: boolean;
  /** The help if there are too many arguments. */
  readonly more?: string;
  /** One line of Markdown. */
  readonly docs: string;
  call(cx: BuiltinCall): Val;
}

/** A call of a builtin with its arguments matched with the parameters. */
export interface BuiltinCall {
  readonly scope: Scope;
  readonly span: Span;
  readonly name: string;
  readonly args: ReadonlyMap<string, Given>;
  readonly positional: readonly Given[];
  readonly rest: ReadonlyMap<string, Given>;
  /** Returns the source text of each positional argument, for messages. */
  readonly texts: () => readonly string[];
  readonly source: readonly Arg[];
}

/** A built-in function in the table. */
export interface NamedBuiltin extends Builtin {
  /** The parameter names without `?`. */
  readonly names: readonly string[];
}

export function withNames(builtin: Builtin): NamedBuiltin {
  return { ...builtin, names: builtin.params.map((param) => param.replace('?', '')) };
}

export function callBuiltin(scope: Scope, builtin: NamedBuiltin, args: CallArgs, span: Span): Val {
  const { names } = builtin;
  const found = new Map<string, Given>();
  const rest = new Map<string, Given>();
  const { positional } = args;
  for (let i = 0; i < positional.length; i++) {
    const given = positional[i];
    if (given && hasError(given.value)) return error;
  }
  if (args.named.size > 0) for (const given of args.named.values()) if (hasError(given.value)) return error;
  const numbered = refuseAxisNumber(scope, builtin.name, args, span);
  if (numbered) return numbered;
  const beyond = builtin.variadic ? undefined : positional[names.length];
  if (beyond) {
    return fail(
      scope,
      'CROB2011',
      beyond.span,
      { callee: builtin.name, count: counted(names.length, 'argument'), given: positional.length },
      { help: builtin.more },
    );
  }
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    const given = positional[i];
    if (name !== undefined && given) found.set(name, given);
  }
  for (const [name, given] of args.named) {
    const at = () => args.source.find((arg) => arg.name?.name === name)?.name?.span ?? given.span;
    // A pattern name may equal the name of a parameter that is given by position: `repeat(t, "n -> n x", x = 2)`.
    if (names.includes(name) && !(builtin.rest !== undefined && found.has(name))) {
      if (found.has(name)) return fail(scope, 'CROB2012', at(), { name });
      found.set(name, given);
    } else if (builtin.rest !== undefined) {
      rest.set(name, given);
    } else {
      return fail(
        scope,
        'CROB2009',
        at(),
        { name, callee: builtin.name },
        { help: didYouMean(name, names) ?? `its parameters are ${names.join(', ')}` },
      );
    }
  }
  for (let i = 0; i < builtin.params.length; i++) {
    const param = builtin.params[i];
    if (param !== undefined && !found.has(param) && !param.endsWith('?'))
      return fail(scope, 'CROB2010', span, { name: param, callee: builtin.name });
  }
  return builtin.call({
    scope,
    span,
    name: builtin.name,
    args: found,
    positional,
    rest,
    texts: () => args.source.filter((arg) => !arg.name).map((arg) => argText(scope, arg.value)),
    source: args.source,
  });
}

/** Reads one argument; returns undefined after a report. */
export type Reader<T> = (cx: BuiltinCall, name: string) => T | undefined;

type Readers<T> = { readonly [K in keyof T]: Reader<T[K]> };

/** Reads all arguments, so that every wrong one is reported; undefined if any is wrong. */
export function readArguments<T extends object>(cx: BuiltinCall, readers: Readers<T>): T | undefined {
  const found: Partial<T> = {};
  let sound = true;
  for (const name in readers) {
    const value = readers[name](cx, name);
    if (value === undefined) sound = false;
    else found[name] = value;
  }
  return sound ? (found as T) : undefined;
}

interface OperatorCall<T> {
  readonly docs: string;
  readonly params: readonly string[];
  readonly args: Readers<T>;
  /** Checks the attributes before shapes are known; returns false after a report. */
  readonly check?: (cx: BuiltinCall, args: T) => boolean;
  readonly emit: (build: Builder, args: T) => Emitted;
  /** The operator's name in messages and profiles; by default the function's name. */
  readonly label?: (args: T) => string;
}

/** Creates a builtin that reads its arguments and emits an operator. */
export function operator<T extends object>(name: string, of: OperatorCall<T>): Builtin {
  const { docs, params, args: readers, check, emit, label } = of;
  return {
    name,
    params,
    docs,
    call(cx) {
      const args = readArguments(cx, readers);
      if (!args || (check && !check(cx, args))) return error;
      return guarded(cx.scope, cx.span, label ? label(args) : name, cx.texts, (build) => emit(build, args));
    },
  };
}

export function wanted(cx: BuiltinCall, name: string, expected: string): undefined {
  const given = cx.args.get(name);
  fail(cx.scope, 'CROB2201', given?.span ?? cx.span, {
    expected: `${expected} as \`${name}\` of ${cx.name}`,
    actual: given ? describe(given.value) : 'nothing',
  });
  return undefined;
}

/** Returns the value of a parameter, of any kind; none if it is not given. */
export function valueArg(cx: BuiltinCall, name: string): Val {
  return cx.args.get(name)?.value ?? none;
}

export function tensorArg(cx: BuiltinCall, name: string): Value | undefined {
  const value = cx.args.get(name)?.value;
  return value?.kind === 'tensor' ? value.value : wanted(cx, name, 'a tensor');
}

export function intArg(cx: BuiltinCall, name: string, otherwise?: number): number | undefined {
  const given = cx.args.get(name);
  if (!given && otherwise !== undefined) return otherwise;
  return knownInt(cx.scope, given?.value) ?? wanted(cx, name, 'an int');
}

export function numberArg(cx: BuiltinCall, name: string, otherwise?: number): number | undefined {
  const given = cx.args.get(name);
  if (!given && otherwise !== undefined) return otherwise;
  return asNumber(given?.value) ?? wanted(cx, name, 'a number');
}

export function boolArg(cx: BuiltinCall, name: string, otherwise: boolean): boolean | undefined {
  const given = cx.args.get(name);
  if (!given) return otherwise;
  return given.value.kind === 'bool' ? given.value.value : wanted(cx, name, 'a bool');
}

export function stringArg(cx: BuiltinCall, name: string): string | undefined {
  const value = cx.args.get(name)?.value;
  return value?.kind === 'string' ? value.value : wanted(cx, name, 'a string');
}

export function dimArg(cx: BuiltinCall, name: string): Dim | undefined {
  const value = cx.args.get(name)?.value;
  return value?.kind === 'dim' ? value.dim : wanted(cx, name, 'an int or a dim');
}

export function dimsArg(cx: BuiltinCall, name: string): Dim[] | undefined {
  const value = cx.args.get(name)?.value;
  if (value?.kind !== 'list') return wanted(cx, name, 'a list of dims');
  const found = value.items.map((item) => (item.kind === 'dim' ? item.dim : undefined));
  return found.every((d) => d !== undefined) ? found : wanted(cx, name, 'a list of dims');
}

export function tensorsArg(cx: BuiltinCall, name: string): NonEmpty<Value> | undefined {
  const value = cx.args.get(name)?.value;
  const items = value?.kind === 'list' ? value.items : [];
  const [first, ...others] = items.flatMap((item) => (item.kind === 'tensor' ? [item.value] : []));
  return first && others.length === items.length - 1 ? [first, ...others] : wanted(cx, name, 'a list of tensors');
}

/** Reads a pair of ints: an int or a list of two; `otherwise` twice if it is not given. */
export function pairArg(cx: BuiltinCall, name: string, otherwise: number): readonly [number, number] | undefined {
  const given = cx.args.get(name);
  if (!given) return [otherwise, otherwise];
  const n = knownInt(cx.scope, given.value);
  if (n !== undefined) return [n, n];
  if (given.value.kind === 'list' && given.value.items.length === 2) {
    const [a, b] = given.value.items.map((item) => knownInt(cx.scope, item));
    if (a !== undefined && b !== undefined) return [a, b];
  }
  return wanted(cx, name, 'an int or a list of two ints');
}
