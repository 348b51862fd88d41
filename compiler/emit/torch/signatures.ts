import type { Expr, InterfaceDecl, ModuleDecl, Param, Type } from '../../../grammar/tree.ts';
import type { FileScope, Found } from '../../elaborate/source/file-scope.ts';
import { interfacesOf } from '../../elaborate/source/interfaces-of.ts';
import { wrapped } from './comments.ts';
import { given, holdsTensors, type Kind, none } from './kinds.ts';
import { capitalised, variableName } from './names.ts';
import {
  assign,
  atom,
  attribute,
  call,
  number,
  type Py,
  type PyOperator,
  type PyParam,
  type PyStatement,
  stringLiteral,
  subscript,
} from './python/tree.ts';
import type { Package, Scope, Signature, SignatureParam } from './scope.ts';
import { type DimSource, dimSources, kindOf, type TypeScope } from './types.ts';

type Owner = Found & { readonly decl: ModuleDecl | InterfaceDecl };

/** The interfaces of a module or interface, with those that they include. */
export function interfacesAround(owner: Owner): readonly (Found & { readonly decl: InterfaceDecl })[] {
  return interfacesOf(owner.decl, owner.file);
}

/** Returns the signature of a method, which may be that of an interface. */
export function signatureOf(pack: Package, owner: Owner, name: string): Signature | undefined {
  for (const one of [owner, ...interfacesAround(owner)]) {
    const member = one.decl.members.find((of) => of.kind === 'method' && of.name.name === name);
    if (member?.kind !== 'method') continue;
    const params = member.params.map((decl) => ({ decl, file: one.file }));
    const title = one.decl.name.name + (name === 'forward' ? 'Result' : capitalised(name));
    const scope = typeScope(pack, one.file, params, title);
    const kind = member.result ? kindOf(scope, member.result) : none;
    return { name, params, result: member.result, where: member.where, file: one.file, kind };
  }
  return undefined;
}

export function typeScope(pack: Package, file: FileScope, params: readonly SignatureParam[], owner: string): TypeScope {
  const typeOf = (name: string) => {
    const param = params.find(({ decl }) => decl.name.name === name);
    return param && { type: param.decl.type, file: param.file };
  };
  return { pack, file, typeOf, owner };
}

/** The statements that read the dims of a signature from the shapes of its arguments. */
export function dimStatements(params: readonly SignatureParam[], used: ReadonlySet<string>): readonly PyStatement[] {
  const sources = [...dimSources(params)].filter(([name]) => used.has(name));
  const byParam = new Map<string, [string, DimSource][]>();
  for (const [name, source] of sources) {
    const key = `${source.param} ${source.item ?? ''}`;
    byParam.set(key, [...(byParam.get(key) ?? []), [name, source]]);
  }
  return [...byParam.values()].flatMap((dims): readonly PyStatement[] => {
    const [first, second] = dims;
    if (!first) return [];
    const { param, item } = first[1];
    const whole = atom(variableName(param));
    if (item === 'all')
      return dims.map(([name, { axis }]) =>
        assign(variableName(name), {
          kind: 'comprehension',
          element: subscript(attribute(atom('item'), 'shape'), number(axis)),
          clauses: [{ target: 'item', iterable: whole }],
          condition: undefined,
        }),
      );
    const tensor = item === undefined ? whole : subscript(whole, number(item));
    const shape = attribute(tensor, 'shape');
    const axes = dims.map(([, { axis }]) => axis);
    const rank = rankOf(params, first[1]);
    if (!second || rank === undefined || axes.some((axis) => axis < 0))
      return dims.map(([name, { axis }]) => assign(variableName(name), subscript(shape, number(axis))));
    const targets = Array.from({ length: rank }, (_, i) => {
      const dim = dims.find(([, { axis }]) => axis === i);
      return dim ? variableName(dim[0]) : '_';
    });
    return [assign(targets.join(', '), shape)];
  });
}

function rankOf(params: readonly SignatureParam[], { param, item }: DimSource): number | undefined {
  const found = params.find(({ decl }) => decl.name.name === param);
  if (!found) return undefined;
  const { type } = found.decl;
  if (item === undefined)
    return type.kind === 'tensor-type' && type.shape.every(({ kind }) => kind === 'dim')
      ? type.shape.length
      : undefined;
  return undefined;
}

const negated: Readonly<Partial<Record<string, PyOperator>>> = {
  '==': '!=',
  '!=': '==',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
};

/** `0 <= x` as `x >= 0`, as Python is written. */
function numberBehind(py: Py): Py {
  if (py.kind !== 'binary' || py.left.kind !== 'atom' || !/^[\d.]/.test(py.left.text)) return py;
  const turned = mirrored[py.op];
  return turned ? { ...py, op: turned, left: py.right, right: py.left } : py;
}

const mirrored: Readonly<Partial<Record<string, PyOperator>>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** `if not …: raise ValueError("… needs …")` for each condition of a `where`. */
export function checks(scope: Scope, owner: string, where: readonly Expr[]): readonly PyStatement[] {
  return where.flatMap(conjuncts).map((expr): PyStatement => {
    const py = numberBehind(scope.translate(expr).py);
    const opposite = py.kind === 'binary' ? negated[py.op] : undefined;
    const test: Py =
      py.kind === 'binary' && opposite ? { ...py, op: opposite } : { kind: 'unary', op: 'not', operand: py };
    const words = scope.pack.text(expr.span).replace(/\s+/g, ' ');
    const error = call('ValueError', [stringLiteral(`${owner} needs ${words}`)]);
    return { kind: 'if', test, then: [{ kind: 'raise', error }], otherwise: [] };
  });
}

function conjuncts(expr: Expr): readonly Expr[] {
  return expr.kind === 'binary' && expr.op === '&&' ? [...conjuncts(expr.left), ...conjuncts(expr.right)] : [expr];
}

/** The docstring of a declaration; none without documentation. */
export function docstring(docs: readonly string[], indent: number): readonly PyStatement[] {
  const width = 88 - indent - 3;
  const [only = '', ...more] = wrapped(docs, width);
  // The quotes of a docstring of one line stand behind it.
  const lines = more.length === 0 && only.length + 3 > width ? wrapped(docs, width - 8) : [only, ...more];
  if (docs.length === 0) return [];
  return lines.length === 0 ? [] : [{ kind: 'docstring', lines }];
}

/** A comment with the types of tensors in a signature, as the source states them. */
export function shapeComment(
  pack: Package,
  params: readonly SignatureParam[],
  results: readonly NamedResult[],
  indent: number,
): readonly PyStatement[] {
  const text = (span: Expr['span']) =>
    pack
      .text(span)
      .replace(/\s+/g, ' ')
      .replace(/,? ([)\]])/g, '$1');
  const shown = params.filter(({ decl }) => isShaped(decl));
  if (shown.length === 0 && results.length === 0) return [];
  const inputs = shown.map(({ decl }) => `${decl.name.name}: ${text(decl.type.span)}`).join(', ');
  const types = results.map(({ name, type }) => (name === undefined ? '' : `${name}: `) + text(type.span));
  const result = types.length > 0 ? ` -> ${types.join(', ')}` : '';
  return wrapped([`${inputs}${result}`.trim()], 88 - indent - 2).map((line) => ({ kind: 'comment', text: line }));
}

/** A result of a function, or an output of a model with its name. */
export interface NamedResult {
  readonly name: string | undefined;
  readonly type: Type;
}

/** The result of a function, for its comment. */
export function resultsOf({ result }: Pick<Signature, 'result'>): readonly NamedResult[] {
  return result ? [{ name: undefined, type: result }] : [];
}

function isShaped({ type }: Param): boolean {
  return type.kind !== 'named-type' && type.kind !== 'choice-type' && type.kind !== 'list-type';
}

export interface PythonParam {
  readonly python: string;
  readonly kind: Kind;
}

/** Parameters by their names in Python. */
export function pythonParams(
  params: readonly SignatureParam[],
  kindOfOne: (param: SignatureParam) => Kind,
): PythonParam[] {
  return params.map((param) => ({ python: variableName(param.decl.name.name), kind: kindOfOne(param) }));
}

/** The device of the first tensor among the arguments. */
export function deviceOf(params: readonly PythonParam[]): Py | undefined {
  for (const { python, kind } of params) {
    if (kind.kind === 'tensor') return attribute(atom(python), 'device');
    if (kind.kind === 'list' && kind.of.kind === 'tensor')
      return attribute(subscript(atom(python), number(0)), 'device');
  }
  return undefined;
}

/** Whether a function makes tensors without being given any. */
export function needsDevice(params: readonly Kind[], result: Kind): boolean {
  return holdsTensors(result) && !params.some((kind) => holdsTensors(kind) || holdsParts(kind));
}

function holdsParts(kind: Kind): boolean {
  const own = given(kind);
  return own.kind === 'part' || (own.kind === 'list' && holdsParts(own.of));
}

export interface WrittenParams {
  readonly params: readonly PyParam[];
  /** Statements that give parameters values that depend on other parameters. */
  readonly statements: readonly PyStatement[];
}
