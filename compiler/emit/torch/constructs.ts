import type { Arg, Expr, ModuleDecl, Param } from '../../../grammar/tree.ts';
import type { FileScope, Found } from '../../elaborate/source/file-scope.ts';
import { given, type Kind } from './kinds.ts';
import { variableName } from './names.ts';
import { atom, type Py, type PyArg } from './python/tree.ts';
import type { Changes, Scope, Value } from './scope.ts';
import { parameterKind } from './types.ts';

/** Translates the construction of a module; `changes` are lines of a variant for its inside. */
export function construct(
  scope: Scope,
  found: Found & { readonly decl: ModuleDecl },
  args: readonly Arg[],
  changes: Changes | undefined,
): Value {
  const { params } = found.decl;
  const { args: own, below } = changed(scope, found, args, changes);
  const native = below ? undefined : scope.pack.native(found);
  if (native) {
    const kept = own.filter(({ param }) => param in native.params || param in native.initial);
    const isPlain = native.startsAlike && !kept.some(({ param }) => param in native.initial);
    const placed = kept.every(({ param }, i) => Object.keys(native.params)[i] === param || i >= native.positional);
    const written = kept.map(({ param, value }, i): PyArg => {
      const positional = placed && i < native.positional;
      return { name: positional ? undefined : (native.params[param] ?? param), value };
    });
    const kind: Kind = { kind: 'part', of: found, name: native.type, native, version: '' };
    return {
      py: { kind: 'call', callee: atom(isPlain ? native.type : scope.pack.layer(found)), args: written },
      kind,
      any: false,
    };
  }
  const info = scope.pack.classOf(found, below);
  const kind: Kind = { kind: 'part', of: { ...found }, name: info.name, native: undefined, version: info.version };
  const written = own.map(({ param, value, named }, i): PyArg => {
    const inOrder = !named && own.slice(0, i + 1).every((one, k) => one.param === params[k]?.name.name && !one.named);
    return { name: inOrder ? undefined : pythonParam(param), value };
  });
  return { py: { kind: 'call', callee: atom(info.name), args: written }, kind, any: false };
}

interface NamedArgument {
  readonly param: string;
  readonly value: Py;
  /** Whether the source names it. */
  readonly named: boolean;
}

/** The arguments by parameter, as lines of a variant change them, and the lines for what is further inside. */
function changed(
  scope: Scope,
  found: Found & { readonly decl: ModuleDecl },
  args: readonly Arg[],
  changes: Changes | undefined,
): { readonly args: readonly NamedArgument[]; readonly below: Changes | undefined } {
  const { params } = found.decl;
  const own: NamedArgument[] = [];
  for (const [i, { name, value }] of args.entries()) {
    const param = name ? params.find((one) => one.name.name === name.name) : params[i];
    if (!param || changes?.below.get(param.name.name)?.line) continue;
    const py = argumentValue(scope, param, value, found.file);
    own.push({ param: param.name.name, value: py, named: name !== undefined });
  }
  if (!changes) return { args: own, below: undefined };
  const below = new Map<string, Changes>();
  for (const [name, change] of changes.below) {
    const param = params.find((one) => one.name.name === name);
    if (param && change.line) own.push({ param: name, value: change.line.value(scope, param).py, named: true });
    else below.set(name, change);
    if (param && change.below.size > 0)
      scope.pack.refuse(change.span, `change the inside of the slot \`${name}\`: give the part as a whole`);
  }
  return { args: own, below: below.size > 0 ? { ...changes, line: undefined, below } : undefined };
}

/** The argument for a parameter. */
function argumentValue(scope: Scope, param: Param, value: Expr, file: FileScope): Py {
  const kind = given(parameterKind({ pack: scope.pack, file, typeOf: () => undefined, owner: '' }, param));
  return kind.kind === 'factory' ? translateFactory(scope, value) : scope.translate(value).py;
}

/** The arguments of a call in the order of the source. */
export function argumentsOf(
  scope: Scope,
  args: readonly Arg[],
  params: readonly Param[],
  file: FileScope,
): readonly PyArg[] {
  return args.map(({ name, value }, i): PyArg => {
    const param = name ? params.find((one) => one.name.name === name.name) : params[i];
    const py = param ? argumentValue(scope, param, value, file) : scope.translate(value).py;
    return { name: name && pythonParam(name.name), value: py };
  });
}

/** The name of a parameter in Python. */
export function pythonParam(name: string): string {
  return variableName(name);
}

/** What constructs a part, for a slot whose owner passes further arguments: a class, a function, or a `partial`. */
export function translateFactory(scope: Scope, expr: Expr): Py {
  switch (expr.kind) {
    case 'call': {
      const found = expr.callee.kind === 'name' ? scope.file.lookup(expr.callee.name) : undefined;
      if (found?.decl.kind === 'module') {
        const { decl } = found;
        const { name } = scope.pack.classOf({ ...found, decl });
        return partial(name, keywords(scope, expr.args, decl.params, found.file));
      }
      if (found?.decl.kind === 'fn') {
        const fn = scope.pack.fn({ ...found, decl: found.decl });
        return partial(fn.name, keywords(scope, expr.args, found.decl.params, found.file));
      }
      break;
    }
    case 'if':
      if (
        expr.then.statements.length === 0 &&
        expr.otherwise.statements.length === 0 &&
        expr.then.value &&
        expr.otherwise.value
      )
        return {
          kind: 'conditional',
          test: scope.translate(expr.condition).py,
          then: translateFactory(scope, expr.then.value),
          otherwise: translateFactory(scope, expr.otherwise.value),
        };
      break;
    case 'name': {
      const known = scope.lookup(expr.name);
      if (known && given(known.kind).kind === 'factory') return known.py;
      break;
    }
    default:
      break;
  }
  return scope.pack.refuse(expr.span, 'fill a slot with this').py;
}

function keywords(scope: Scope, args: readonly Arg[], params: readonly Param[], file: FileScope): readonly PyArg[] {
  return args.flatMap(({ name, value }, i): readonly PyArg[] => {
    const param = name ? params.find((one) => one.name.name === name.name) : params[i];
    const py = param && argumentValue(scope, param, value, file);
    return param && py ? [{ name: pythonParam(param.name.name), value: py }] : [];
  });
}

function partial(name: string, args: readonly PyArg[]): Py {
  if (args.length === 0) return atom(name);
  return { kind: 'call', callee: atom('partial'), args: [{ name: undefined, value: atom(name) }, ...args] };
}
