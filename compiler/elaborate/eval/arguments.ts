import { foreignArgument, foreignType } from '../../../grammar/foreign.ts';
import type { Span } from '../../../grammar/span.ts';
import type { AliasType, Arg, InterfaceDecl, ModuleDecl, NamedType, Param, Type } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import type { Given, Val } from '../context/elaborated.ts';
import { type CallArgs, Locals, type Scope } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { asInt, hasError } from '../context/values.ts';
import { counted, fail } from '../report/report.ts';
import { choicesOf, meantChoice, oneOf } from '../source/choices.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import type { FileScope, Found } from '../source/file-scope.ts';
import { interfacesOf } from '../source/interfaces-of.ts';
import { behindNames, holdsItself, isOptional, type TypeName, typeName } from '../source/type-names.ts';
import { importHelp } from '../source/unknown-names.ts';
import { evaluate } from './evaluate.ts';
import { knownInt } from './known-sizes.ts';

/**
 * Matches positional and named arguments with parameters. Parameters with a default may be missing; with `open`, all
 * may. Undefined after a report.
 */
export function matchArgs(
  context: Context,
  what: string,
  params: readonly Param[],
  args: CallArgs,
  span: Span,
  declared: Span,
  open = false,
): Map<string, Given> | undefined {
  const found = new Map<string, Given>();
  const cx = { context };
  const notes = () => [{ span: declared, text: `${what} is declared here` }];
  const beyond = args.positional[params.length];
  if (beyond) {
    fail(
      cx,
      'CROB2011',
      beyond.span,
      { callee: what, count: counted(params.length, 'argument'), given: args.positional.length },
      { notes: notes() },
    );
    return undefined;
  }
  for (let i = 0; i < args.positional.length; i++) {
    const param = params[i];
    const given = args.positional[i];
    if (param && given) found.set(param.name.name, given);
  }
  let sound = true;
  const spanOf = (name: string, given: Given) =>
    args.source.find((arg) => arg.name?.name === name)?.name?.span ?? given.span;
  for (const [name, given] of args.named) {
    if (!params.some((param) => param.name.name === name)) {
      const names = params.map((param) => param.name.name);
      const help =
        foreignArgument(name, names) ??
        didYouMean(name, names) ??
        (names.length ? `its parameters are ${names.join(', ')}` : 'it has no parameters');
      fail(cx, 'CROB2009', spanOf(name, given), { name, callee: what }, { help, notes: notes() });
      sound = false;
    } else if (found.has(name)) {
      fail(cx, 'CROB2012', spanOf(name, given), { name });
      sound = false;
    } else {
      found.set(name, given);
    }
  }
  for (let i = 0; i < params.length; i++) {
    const param = params[i];
    if (!param || open || param.value || found.has(param.name.name)) continue;
    if (!sound) return undefined;
    fail(
      cx,
      'CROB2010',
      span,
      { name: param.name.name, callee: what },
      {
        notes: [{ span: param.span, text: 'declared here, without a default' }],
      },
    );
    sound = false;
  }
  return sound ? found : undefined;
}

/**
 * Checks a static value against a parameter's type. An `int` is converted where a float is expected; there are no
 * other conversions. Returns the value to use, or undefined after a report. `instead` is the help if the type has
 * none of its own.
 */
export function fitStatic(
  scope: Scope,
  value: Val,
  type: Type,
  span: Span,
  declared: Span,
  file: FileScope,
  note = 'the parameter is declared here',
  instead?: string,
): Val | undefined {
  if (hasError(value)) return undefined;
  const found = mismatch(scope, value, type, file);
  if (found === undefined) return widen(value, type, file);
  // Faults of the type itself have already been reported.
  if (found === 'unknown') return undefined;
  const notes = [{ span: declared, text: note }];
  const help = found.help ?? instead;
  fail(scope, 'CROB2201', span, { expected: found.expected, actual: describe(value) }, { notes, help });
  return undefined;
}

/** Evaluates arguments and keeps their source expressions. */
function evaluateArgs(scope: Scope, source: readonly Arg[]): CallArgs {
  const positional: Given[] = [];
  const named = new Map<string, Given>();
  for (const { name, value } of source) {
    const given = { value: evaluate(scope, value), span: value.span };
    if (name) named.set(name.name, given);
    else positional.push(given);
  }
  return { positional, named, source };
}

/**
 * Returns the scope in which a named type is evaluated: its parameters are bound, names are resolved in its own
 * file, and dims are those of the signature that uses it. Undefined after a report.
 */
export function typeScope(scope: Scope, type: AliasType | NamedType, name: TypeName): Scope | undefined {
  const { context } = scope;
  const { decl, file } = name;
  if (holdsItself(name)) {
    fail(scope, 'CROB2242', decl.name.span, { name: decl.name.name });
    return undefined;
  }
  const args = evaluateArgs(scope, type.kind === 'alias-type' ? type.args : []);
  const what = `type ${decl.name.name}`;
  const matched = matchArgs(context, what, decl.params, args, type.span, decl.name.span);
  if (!matched) return undefined;
  const inner: Scope = {
    ...scope,
    file,
    self: undefined,
    member: () => undefined,
    memberNames: () => [],
    locals: new Locals(),
  };
  for (const param of decl.params) {
    const { name, span } = param.name;
    const given = matched.get(name) ?? (param.value && { value: evaluate(inner, param.value), span: param.value.span });
    // `matchArgs` has reported the missing argument.
    if (!given) return undefined;
    const fitted = fitStatic(inner, given.value, param.type, given.span, span, file);
    if (!fitted) return undefined;
    inner.locals.declare(name, fitted);
  }
  return inner;
}

function widen(value: Val, written: Type, from: FileScope): Val {
  if (value.kind !== 'dim' && value.kind !== 'list') return value;
  const { type, file } = behindNames(written, from);
  const n = asInt(value);
  if (n !== undefined && type.kind === 'named-type' && type.name.name === 'float' && !type.length)
    return { kind: 'float', value: n };
  if (value.kind === 'list' && type.kind === 'list-type')
    return { kind: 'list', items: value.items.map((item) => widen(item, type.element, file)) };
  if (value.kind === 'list' && type.kind === 'named-type' && type.length) {
    const element: Type = { ...type, length: undefined };
    return { kind: 'list', items: value.items.map((item) => widen(item, element, file)) };
  }
  return value;
}

/** The expected type for a value that does not match, and a suggestion. */
interface Mismatch {
  readonly expected: string;
  readonly help?: string | undefined;
}

const wanted = (expected: string): Mismatch => ({ expected });

/**
 * Returns the expected type if the value does not match, undefined if it does; 'unknown' after a report on the type
 * itself.
 */
function mismatch(scope: Scope, value: Val, type: Type, file: FileScope): Mismatch | 'unknown' | undefined {
  if (value.kind === 'none' && isOptional(type)) return undefined;
  switch (type.kind) {
    case 'list-type':
      return value.kind === 'list' ? itemsMismatch(scope, value.items, type.element, file) : wanted('a list');
    case 'choice-type':
      return choiceMismatch(value, choicesOf(type));
    case 'named-type':
      break;
    case 'alias-type':
      if (typeName(type, file)) break;
      reportUnknownType(scope, type, file);
      return 'unknown';
    default:
      return wanted('a static value');
  }
  const named = typeName(type, file);
  if (named) {
    const inner = typeScope(scope, type, named);
    return inner ? mismatch(inner, value, named.decl.type, named.file) : 'unknown';
  }
  if (type.kind === 'alias-type') return 'unknown';
  const word = type.name.name;
  if (type.length) {
    if (value.kind !== 'list') return wanted(`a list of ${word}`);
    const length = knownInt(scope, evaluate(scope, type.length));
    if (length !== undefined && value.items.length !== length) return wanted(`a list of ${length} ${word}s`);
    for (const item of value.items) {
      const inner = mismatch(scope, item, { ...type, length: undefined }, file);
      if (inner) return inner === 'unknown' ? inner : listOf(inner);
    }
    return undefined;
  }
  switch (word) {
    case 'int':
      return asInt(value) === undefined ? { expected: 'an int', help: intHelp(value) } : undefined;
    case 'dim':
      return value.kind === 'dim' ? undefined : wanted('a dim');
    case 'float':
      return value.kind === 'float' || asInt(value) !== undefined ? undefined : wanted('a float');
    case 'bool':
      return value.kind === 'bool' ? undefined : wanted('a bool');
    case 'string':
      return value.kind === 'string' ? undefined : wanted('a string');
    case 'function':
    case 'init':
      return ['function', 'builtin', 'init', 'method'].includes(value.kind)
        ? undefined
        : wanted(`a${word === 'init' ? 'n initialiser' : ' function'}`);
    default: {
      const found = file.lookup(word);
      if (!found) {
        reportUnknownName(scope, word, type, file);
        return 'unknown';
      }
      return moduleMismatch(value, word, found);
    }
  }
}

/** The help for `padding = "same"`, as in PyTorch and Keras. */
function intHelp(value: Val): string | undefined {
  if (value.kind !== 'string') return undefined;
  if (value.value === 'valid') return 'without padding: `0`';
  return value.value === 'same'
    ? 'at a stride of 1, a padding of `dilation * (kernel - 1) / 2` keeps the size: 1 for a kernel of 3, 2 for 5, 3 for 7'
    : undefined;
}

function itemsMismatch(
  scope: Scope,
  items: readonly Val[],
  element: Type,
  file: FileScope,
): Mismatch | 'unknown' | undefined {
  for (const item of items) {
    const inner = mismatch(scope, item, element, file);
    if (inner === undefined) continue;
    return inner === 'unknown' ? inner : listOf(inner);
  }
  return undefined;
}

function listOf({ expected, help }: Mismatch): Mismatch {
  // What is more than a word has no plural by an s.
  const word = /^an? (\w+)$/.exec(expected)?.[1];
  return { expected: word === undefined ? `a list in which each is ${expected}` : `a list of ${word}s`, help };
}

function choiceMismatch(value: Val, choices: readonly string[]): Mismatch | undefined {
  if (value.kind === 'string' && choices.includes(value.value)) return undefined;
  const help = value.kind === 'string' ? meantChoice(value.value, choices) : undefined;
  return { expected: oneOf(choices), help };
}

/** Reports a name that is not a type. */
export function reportUnknownType(scope: Scope, { name: ident }: AliasType | NamedType, file: FileScope): void {
  const { name, span } = ident;
  const declared = file.lookup(name)?.decl;
  if (declared) {
    const notes = [{ span: declared.name.span, text: 'declared here' }];
    fail(scope, 'CROB2008', span, { name, actual: declared.kind, expected: 'a type' }, { notes });
    return;
  }
  const help = importHelp(scope.context.run.program, file, name) ?? didYouMean(name, file.names());
  fail(scope, 'CROB2222', span, { name }, { help });
}

export function reportUnknownName(scope: Scope, name: string, type: Type, file: FileScope): void {
  const types = [...file.names(), 'int', 'float', 'bool', 'string', 'dim', 'function', 'init', 'list'];
  const help = importHelp(scope.context.run.program, file, name) ?? foreignType(name) ?? didYouMean(name, types);
  fail(scope, 'CROB2222', type.span, { name }, { help });
}

/** Returns why a value is not an instance of the named module or interface; undefined if it is. */
function moduleMismatch(value: Val, word: string, { decl: type, file }: Found): Mismatch | undefined {
  const expected = `${type.kind === 'interface' ? 'a module that fills' : 'the module'} ${word}`;
  const made = value.kind === 'spec' ? value.spec : value.kind === 'instance' ? value.instance : undefined;
  if (!made) return wanted(expected);
  const { decl } = made;
  if (type.kind === 'module') return decl === type ? undefined : wanted(expected);
  if (type.kind !== 'interface') return wanted('a module');
  if (interfacesOf(decl, made.file).some((one) => one.decl === type)) return undefined;
  const declared = `\`module ${decl.name.name}(…): ${word}\``;
  const help = hasAllOf(decl, [...interfacesOf(type, file).map((one) => one.decl), type])
    ? `it has what ${word} promises: declare it ${declared}`
    : undefined;
  return { expected: `${expected} (declared ${declared})`, help };
}

/**
 * Whether a module has all members that the interfaces require, by name; those with a default are optional. Members
 * with their own conditions do not count, since they may be stricter than the interface.
 */
function hasAllOf({ params, members }: ModuleDecl, interfaces: readonly InterfaceDecl[]): boolean {
  const free = members.filter((member) => !('where' in member) || member.where.length === 0);
  const own = new Set([...params, ...free].map(({ name }) => name.name));
  return interfaces.every((one) =>
    one.members.every((member) => own.has(member.name.name) || ('body' in member && member.body !== undefined)),
  );
}
