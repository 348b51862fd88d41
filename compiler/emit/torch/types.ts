import type { Expr, Param, Type } from '../../../grammar/tree.ts';
import type { FileScope, Found } from '../../elaborate/source/file-scope.ts';
import { bool, float, int, type Kind, listOf, optional, tensor, unknown } from './kinds.ts';
import type { Package } from './scope.ts';

/** The kind of a tensor's element type; i64 and u8 are whole numbers, too. */
function dtypeOf(name: string): 'f32' | 'i32' | 'bool' {
  return name === 'bool' ? 'bool' : name === 'f32' ? 'f32' : 'i32';
}

/** What the kinds of types depend on. */
export interface TypeScope {
  readonly pack: Package;
  readonly file: FileScope;
  /** The names of parameters to which `typeof` may refer. */
  readonly typeOf: (name: string) => { readonly type: Type; readonly file: FileScope } | undefined;
  /** The owner of a result, after which a class of named tuples is named. */
  readonly owner: string;
}

/** Returns the kind of values of a type. */
export function kindOf(scope: TypeScope, type: Type): Kind {
  const kind = withoutOption(scope, type);
  return 'optional' in type && type.optional ? optional(kind) : kind;
}

function withoutOption(scope: TypeScope, type: Type): Kind {
  const { pack, file } = scope;
  switch (type.kind) {
    case 'tensor-type': {
      const spread = type.shape.some(({ kind }) => kind === 'spread');
      return tensor(dtypeOf(type.dtype.name), spread ? undefined : type.shape.length);
    }
    case 'pyramid-type':
      return listOf(kindOf(scope, type.element));
    case 'sequence-type':
      return listOf(type.items[0] ? kindOf(scope, type.items[0]) : unknown);
    case 'list-type':
      return listOf(kindOf(scope, type.element));
    case 'choice-type':
      return { kind: 'string', choices: type.choices.map(({ value }) => value) };
    case 'tuple-type':
      return pack.tuple(
        scope.owner,
        type.items.map(({ name, type: of }) => ({ name: name.name, of: kindOf(scope, of) })),
      );
    case 'typeof-type': {
      const of = scope.typeOf(type.name.name);
      return of ? kindOf({ ...scope, file: of.file }, of.type) : unknown;
    }
    case 'alias-type': {
      const found = file.lookup(type.name.name);
      return found?.decl.kind === 'type' ? kindOf({ ...scope, file: found.file }, found.decl.type) : unknown;
    }
    case 'named-type': {
      const named = namedKind(pack, file, type.name.name, scope);
      return type.length ? listOf(named) : named;
    }
  }
}

function namedKind(pack: Package, file: FileScope, name: string, scope: TypeScope): Kind {
  switch (name) {
    case 'int':
    case 'dim':
      return int;
    case 'float':
      return float;
    case 'bool':
      return bool;
    case 'string':
      return { kind: 'string', choices: [] };
    case 'function':
      return { kind: 'function', of: undefined };
    case 'init':
      return { kind: 'init' };
    default: {
      const found = file.lookup(name);
      if (found?.decl.kind === 'type') return kindOf({ ...scope, file: found.file }, found.decl.type);
      return found ? partKind(pack, found) : unknown;
    }
  }
}

/** The kind of instances of a module or interface. */
export function partKind(pack: Package, found: Found): Kind {
  const { decl } = found;
  if (decl.kind !== 'module' && decl.kind !== 'interface') return unknown;
  const native = pack.native(found);
  if (native) return { kind: 'part', of: found, name: native.type, native, version: '' };
  return { kind: 'part', of: found, name: pack.classOf({ ...found, decl }).name, native: undefined, version: '' };
}

/**
 * The kind of a parameter: a slot whose interface has parameters holds what constructs a part, as its owner passes
 * arguments to it.
 */
export function parameterKind(scope: TypeScope, { type }: Param): Kind {
  const kind = kindOf(scope, type);
  const own = kind.kind === 'optional' ? kind.of : kind;
  if (own.kind !== 'part' || own.of.decl.kind !== 'interface' || own.of.decl.params.length === 0) return kind;
  const factory: Kind = { kind: 'factory', of: own.of, name: own.name };
  return kind === own ? factory : optional(factory);
}

/** Where a dim of a signature can be read: an axis of a parameter. */
export interface DimSource {
  readonly param: string;
  /** The item of a list; `all` if each item has a size of its own. */
  readonly item: number | 'all' | undefined;
  readonly axis: number;
  readonly optional: boolean;
}

/** Returns the first place where each dim of a signature is an axis by itself. */
export function dimSources(
  params: readonly { readonly decl: Param; readonly file: FileScope }[],
): ReadonlyMap<string, DimSource> {
  const found = new Map<string, DimSource>();
  for (const { decl, file } of params)
    for (const [name, source] of axesOf(decl.name.name, decl.type, file, params)) {
      const known = found.get(name);
      if (!known || (known.optional && !source.optional)) found.set(name, source);
    }
  return found;
}

function* axesOf(
  param: string,
  type: Type,
  file: FileScope,
  params: readonly { readonly decl: Param; readonly file: FileScope }[],
): Iterable<readonly [string, DimSource]> {
  switch (type.kind) {
    case 'tensor-type':
      for (const [axis, name] of namedAxes(type.shape, (expr) => expr))
        yield [name, { param, item: undefined, axis, optional: type.optional }];
      break;
    case 'pyramid-type': {
      const { element, index, iterable, optional: isOptional } = type;
      if (element.kind !== 'tensor-type') break;
      const count = iterable.kind === 'range' && iterable.stop.kind === 'int' ? iterable.stop.value : 1;
      const start = iterable.kind === 'range' && iterable.start.kind === 'int' ? iterable.start.value : 0;
      for (const [axis, name] of namedAxes(element.shape, (expr) => family(expr, index.name)))
        yield [name, { param, item: 'all', axis, optional: isOptional }];
      for (let item = 0; item < count - start; item++)
        for (const [axis, name] of namedAxes(element.shape, (expr) => folded(expr, index.name, start + item)))
          yield [name, { param, item, axis, optional: isOptional }];
      break;
    }
    case 'sequence-type':
      for (const [item, one] of type.items.entries())
        if (one.kind === 'tensor-type')
          for (const [axis, name] of namedAxes(one.shape, (expr) => expr))
            yield [name, { param, item, axis, optional: type.optional }];
      break;
    case 'alias-type': {
      const alias = file.lookup(type.name.name);
      if (alias?.decl.kind !== 'type') break;
      const given = new Map<string, Expr>();
      for (const [i, { name, value }] of type.args.entries()) {
        const key = name?.name ?? alias.decl.params[i]?.name.name;
        if (key !== undefined) given.set(key, value);
      }
      yield* axesOf(param, substituted(alias.decl.type, given), alias.file, params);
      break;
    }
    case 'typeof-type': {
      const of = params.find(({ decl }) => decl.name.name === type.name.name);
      if (of) yield* axesOf(param, of.decl.type, of.file, params);
      break;
    }
    default:
      break;
  }
}

type Shape = Extract<Type, { kind: 'tensor-type' }>['shape'];

/** Axes that are a name by themselves, by number: from the end behind `...`. */
function* namedAxes(shape: Shape, simplify: (expr: Expr) => Expr | undefined): Iterable<readonly [number, string]> {
  const spread = shape.findIndex(({ kind }) => kind === 'spread');
  for (const [i, item] of shape.entries()) {
    const expr = item.kind === 'dim' ? simplify(item.value) : undefined;
    if (expr?.kind === 'name' && /^[A-Z]/.test(expr.name))
      yield [spread >= 0 && i > spread ? i - shape.length : i, expr.name];
  }
}

/** `H[i]` → `H`. */
function family(expr: Expr, index: string): Expr | undefined {
  const only = expr.kind === 'index' ? expr.items[0] : undefined;
  const isOwn = only?.kind === 'at' && only.value.kind === 'name' && only.value.name === index;
  return expr.kind === 'index' && isOwn ? expr.object : undefined;
}

/** The expression with a number for the index, as far as it is needed: `H*2^(3-i)` is `H` at i = 3. */
function folded(expr: Expr, index: string, at: number): Expr {
  if (expr.kind === 'name' && expr.name === index) return { kind: 'int', value: at, span: expr.span };
  if (expr.kind !== 'binary') return expr;
  const left = folded(expr.left, index, at);
  const right = folded(expr.right, index, at);
  const { op, span } = expr;
  if (left.kind === 'int' && right.kind === 'int') {
    const value = { '+': left.value + right.value, '-': left.value - right.value, '*': left.value * right.value }[
      op as string
    ];
    if (value !== undefined) return { kind: 'int', value, span };
    if (op === '^') return { kind: 'int', value: left.value ** right.value, span };
  }
  if ((op === '*' || op === '/') && right.kind === 'int' && right.value === 1) return left;
  if (op === '*' && left.kind === 'int' && left.value === 1) return right;
  return { ...expr, left, right };
}

/** A type with expressions in place of the parameters of its declaration. */
function substituted(type: Type, given: ReadonlyMap<string, Expr>): Type {
  switch (type.kind) {
    case 'tensor-type':
      return {
        ...type,
        shape: type.shape.map((item) => (item.kind === 'dim' ? { ...item, value: replaced(item.value, given) } : item)),
      };
    case 'pyramid-type':
      return { ...type, element: substituted(type.element, given), iterable: replaced(type.iterable, given) };
    case 'sequence-type':
      return { ...type, items: type.items.map((one) => substituted(one, given)) };
    default:
      return type;
  }
}

function replaced(expr: Expr, given: ReadonlyMap<string, Expr>): Expr {
  switch (expr.kind) {
    case 'name':
      return given.get(expr.name) ?? expr;
    case 'binary':
      return { ...expr, left: replaced(expr.left, given), right: replaced(expr.right, given) };
    case 'unary':
      return { ...expr, operand: replaced(expr.operand, given) };
    case 'index':
      return {
        ...expr,
        object: replaced(expr.object, given),
        items: expr.items.map((item) => (item.kind === 'at' ? { ...item, value: replaced(item.value, given) } : item)),
      };
    case 'range':
      return { ...expr, start: replaced(expr.start, given), stop: replaced(expr.stop, given) };
    default:
      return expr;
  }
}
