import type { Span } from '../../../grammar/span.ts';
import type { Param, Type } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import type { CallArgs, Scope } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { asInt, type Given, hasError, type Val } from '../context/values.ts';
import { counted, fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import type { FileScope } from '../source/program.ts';
import { evaluate } from './evaluate.ts';

/** Positional and named arguments laid against parameters; undefined for those left out, reports the rest. */
export function matchArgs(
  context: Context,
  what: string,
  params: readonly Param[],
  args: CallArgs,
  span: Span,
  declared: Span,
): Map<string, Given> | undefined {
  const found = new Map<string, Given>();
  const cx = { context };
  const notes = () => [{ span: declared, text: `${what} is declared here` }];
  if (args.positional.length > params.length) {
    fail(
      cx,
      'CROB2011',
      args.positional[params.length]!.span,
      { callee: what, count: counted(params.length, 'argument'), given: args.positional.length },
      { notes: notes() },
    );
    return undefined;
  }
  args.positional.forEach((given, i) => {
    found.set(params[i]!.name.name, given);
  });
  let sound = true;
  for (const [name, given] of args.named) {
    const at = () => args.source.find((arg) => arg.name?.name === name)?.name?.span ?? given.span;
    if (!params.some((param) => param.name.name === name)) {
      const names = params.map((param) => param.name.name);
      const help =
        didYouMean(name, names) ?? (names.length ? `its parameters are ${names.join(', ')}` : 'it has no parameters');
      fail(cx, 'CROB2009', at(), { name, callee: what }, { help, notes: notes() });
      sound = false;
    } else if (found.has(name)) {
      fail(cx, 'CROB2012', at(), { name });
      sound = false;
    } else {
      found.set(name, given);
    }
  }
  for (const param of params) {
    if (param.value || found.has(param.name.name)) continue;
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
 * A static value held against a parameter's type: `int` also where a float is wanted, nothing else converts.
 * Yields the value to use, or undefined after a report.
 */
export function fitStatic(
  scope: Scope,
  value: Val,
  type: Type,
  span: Span,
  declared: Span,
  file: FileScope,
  note = 'the parameter is declared here',
): Val | undefined {
  if (hasError(value)) return undefined;
  const expected = mismatch(scope, value, type, file);
  if (expected === undefined) return widen(value, type);
  fail(
    scope,
    'CROB2201',
    span,
    { expected, actual: describe(value) },
    {
      notes: [{ span: declared, text: note }],
    },
  );
  return undefined;
}

function widen(value: Val, type: Type): Val {
  const n = asInt(value);
  if (n !== undefined && type.kind === 'named-type' && type.name.name === 'float' && !type.length)
    return { kind: 'float', value: n };
  if (value.kind === 'list' && type.kind === 'list-type')
    return { kind: 'list', items: value.items.map((item) => widen(item, type.element)) };
  if (value.kind === 'list' && type.kind === 'named-type' && type.length) {
    return { kind: 'list', items: value.items.map((item) => widen(item, { ...type, length: undefined })) };
  }
  return value;
}

/** What was expected, when the value does not fit. */
function mismatch(scope: Scope, value: Val, type: Type, file: FileScope): string | undefined {
  if (type.kind === 'list-type') {
    if (value.kind !== 'list') return 'a list';
    for (const item of value.items) {
      const inner = mismatch(scope, item, type.element, file);
      if (inner) return `a list of ${inner.replace(/^an? /, '')}s`;
    }
    return undefined;
  }
  if (type.kind !== 'named-type') return 'a static value';
  if (type.optional && value.kind === 'none') return undefined;
  const word = type.name.name;
  if (type.length) {
    if (value.kind !== 'list') return `a list of ${word}`;
    const length = asInt(evaluate(scope, type.length));
    if (length !== undefined && value.items.length !== length) return `a list of ${length} ${word}s`;
    for (const item of value.items) {
      const inner = mismatch(scope, item, { ...type, length: undefined }, file);
      if (inner) return `a list of ${word}s`;
    }
    return undefined;
  }
  switch (word) {
    case 'int':
      return asInt(value) === undefined ? 'an int' : undefined;
    case 'dim':
      return value.kind === 'dim' ? undefined : 'a dim';
    case 'float':
      return value.kind === 'float' || asInt(value) !== undefined ? undefined : 'a float';
    case 'bool':
      return value.kind === 'bool' ? undefined : 'a bool';
    case 'string':
      return value.kind === 'string' ? undefined : 'a string';
    case 'function':
    case 'init':
      return ['function', 'builtin', 'init', 'method'].includes(value.kind)
        ? undefined
        : `a${word === 'init' ? 'n initialiser' : ' function'}`;
    default:
      return moduleMismatch(scope, value, word, type, file);
  }
}

function moduleMismatch(scope: Scope, value: Val, word: string, type: Type, file: FileScope): string | undefined {
  const found = file.lookup(word);
  if (!found) {
    fail(
      scope,
      'CROB2222',
      type.span,
      { name: word },
      {
        help: didYouMean(word, [...file.names(), 'int', 'float', 'bool', 'string', 'dim', 'function', 'init', 'list']),
      },
    );
    return undefined;
  }
  const expected = `${found.decl.kind === 'interface' ? 'a module that fills' : 'the module'} ${word}`;
  const decl = value.kind === 'spec' ? value.spec.decl : value.kind === 'instance' ? value.instance.decl : undefined;
  if (!decl) return expected;
  if (found.decl.kind === 'module') return decl === found.decl ? undefined : expected;
  if (found.decl.kind !== 'interface') return 'a module';
  const valueFile =
    value.kind === 'spec' ? value.spec.file : value.kind === 'instance' ? value.instance.file : undefined;
  const fills = decl.implements.some((name) => valueFile?.lookup(name.name)?.decl === found.decl);
  return fills ? undefined : `${expected} (declared \`module ${decl.name.name}(…): ${word}\`)`;
}
