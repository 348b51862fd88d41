import type { Span } from '../../../grammar/span.ts';
import type { FnDecl, InterfaceDecl, MethodMember, ModuleDecl } from '../../../grammar/tree.ts';
import { asConstant, constant, type Dim, print } from '../../dims/dim.ts';
import type { Init, Value } from '../../ir/graph.ts';
import type { Builtin } from '../eval/builtins/builtin.ts';
import type { FileScope } from '../source/program.ts';

/** What an expression evaluates to: static values run to the end, tensors are values of the graph being built. */
export type Val =
  /** An int when constant, else a symbolic dim. */
  | { readonly kind: 'dim'; readonly dim: Dim }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'list'; readonly items: readonly Val[] }
  | { readonly kind: 'tuple'; readonly items: ReadonlyMap<string, Val> }
  | { readonly kind: 'function'; readonly decl: FnDecl; readonly file: FileScope }
  | { readonly kind: 'builtin'; readonly builtin: Builtin }
  | { readonly kind: 'init'; readonly init: Init }
  | { readonly kind: 'spec'; readonly spec: Spec }
  | { readonly kind: 'instance'; readonly instance: Instance }
  | { readonly kind: 'method'; readonly instance: Instance; readonly method: Method }
  | { readonly kind: 'tensor'; readonly value: Value }
  /** Stands for what was already reported; absorbs everything. */
  | { readonly kind: 'error' };

export type TensorVal = Extract<Val, { kind: 'tensor' }>;

export const error: Val = { kind: 'error' };
export const none: Val = { kind: 'none' };
export const int = (n: number): Val => ({ kind: 'dim', dim: constant(n) });
export const dimVal = (dim: Dim): Val => ({ kind: 'dim', dim });
export const float = (value: number): Val => ({ kind: 'float', value });
export const bool = (value: boolean): Val => ({ kind: 'bool', value });
export const string = (value: string): Val => ({ kind: 'string', value });
export const list = (items: readonly Val[]): Val => ({ kind: 'list', items });
export const tensor = (value: Value): Val => ({ kind: 'tensor', value });

/** A module to be constructed: `SwinB(window = 8)`; with parameters still open it is a slot's filling with holes. */
export interface Spec {
  readonly decl: ModuleDecl;
  readonly file: FileScope;
  readonly args: ReadonlyMap<string, Given>;
  readonly span: Span;
}
/** An argument with the place it was written. */
export interface Given {
  readonly value: Val;
  readonly span: Span;
}

/** A method with the file whose names its body sees (an interface's file for a default body). */
export interface Method {
  readonly decl: MethodMember;
  readonly file: FileScope;
}

/** A constructed module. */
export interface Instance {
  readonly decl: ModuleDecl;
  readonly file: FileScope;
  /** Where its weights are: `backbone.layers.0`; '' at the root. */
  readonly path: string;
  /** What it is in the source: `backbone.merges[0]`; '' at the root. */
  readonly source: string;
  /** What was made so far: `allMembers` is the whole. */
  readonly statics: Map<string, Val>;
  readonly fields: Map<string, Val>;
  readonly methods: ReadonlyMap<string, Method>;
  readonly span: Span;
  /** Same key, same behaviour but for the path: what method templates are shared by. */
  identity: string;
  readonly interfaces: readonly { readonly decl: InterfaceDecl; readonly file: FileScope }[];
}

/** What can stand behind it and a dot. */
export function namesOf({ decl, methods }: Instance): string[] {
  return [...new Set([...decl.params, ...decl.members].map(({ name }) => name.name)), ...methods.keys()];
}

/** Whether something in it was reported already. */
export function hasError(value: Val): boolean {
  if (value.kind === 'list') return value.items.some(hasError);
  if (value.kind === 'tuple') return [...value.items.values()].some(hasError);
  return value.kind === 'error';
}

export function asInt(value: Val | undefined): number | undefined {
  return value?.kind === 'dim' ? asConstant(value.dim) : undefined;
}
/** An int or a float as a number. */
export function asNumber(value: Val | undefined): number | undefined {
  if (value?.kind === 'float') return value.value;
  return asInt(value);
}

/** Equal keys for equal static values; instances passed by name count by path, since they are shared. */
export function keyOf(value: Val): string {
  switch (value.kind) {
    case 'dim':
      return value.dim.key;
    case 'float':
      return `${value.value}f`;
    case 'bool':
      return String(value.value);
    case 'string':
      return JSON.stringify(value.value);
    case 'none':
      return 'none';
    case 'list':
      return `[${value.items.map(keyOf).join()}]`;
    case 'tuple':
      return `(${[...value.items].map(([name, item]) => `${name}=${keyOf(item)}`).join()})`;
    case 'function':
      return `fn ${value.file.file}:${value.decl.name.name}`;
    case 'builtin':
      return `builtin ${value.builtin.name}`;
    case 'init':
      return `~${value.init.name}${JSON.stringify(value.init.args)}`;
    case 'spec':
      return specKey(value.spec);
    case 'instance':
      return `@${value.instance.path}:${value.instance.identity}`;
    case 'method':
      return `@${value.instance.path}:${value.instance.identity}.${value.method.decl.name.name}`;
    case 'tensor':
      return `tensor ${value.value.id}`;
    case 'error':
      return 'error';
  }
}

const specKeys = new WeakMap<Spec, string>();

export function specKey(spec: Spec): string {
  const known = specKeys.get(spec);
  if (known !== undefined) return known;
  const key = newSpecKey(spec);
  specKeys.set(spec, key);
  return key;
}

function newSpecKey(spec: Spec): string {
  const args = [...spec.args].map(([name, given]) => `${name}=${keyOf(given.value)}`).sort();
  return `${spec.file.file}:${spec.decl.name.name}(${args.join()})`;
}

/** What a message calls the value: `int 3`, `dim H/4`, `tensor`, `module SwinB`. */
export function describe(value: Val): string {
  switch (value.kind) {
    case 'dim': {
      const n = asConstant(value.dim);
      return n === undefined ? 'a dim' : `the int ${n}`;
    }
    case 'float':
      return `the float ${value.value}`;
    case 'bool':
      return `the bool ${value.value}`;
    case 'string':
      return `the string ${JSON.stringify(value.value)}`;
    case 'none':
      return 'none';
    case 'list': {
      const plain = value.items.length <= 8 && value.items.every((item) => asNumber(item) !== undefined);
      return plain ? `the list [${value.items.map(asNumber).join(', ')}]` : `a list of ${value.items.length}`;
    }
    case 'tuple':
      return `a tuple (${[...value.items.keys()].join(', ')})`;
    case 'function':
      return `the function ${value.decl.name.name}`;
    case 'builtin':
      return `the function ${value.builtin.name}`;
    case 'init':
      return `the initialiser ${value.init.name}`;
    case 'spec':
      return `the module ${value.spec.decl.name.name}`;
    case 'instance':
      return `the module ${value.instance.decl.name.name}`;
    case 'method':
      return `the method ${value.method.decl.name.name}`;
    case 'tensor':
      return 'a tensor';
    case 'error':
      return 'an error';
  }
}

/** A static value as one would write it, for messages and manifests. */
export function showStatic(value: Val | undefined): string {
  if (!value) return 'unset';
  switch (value.kind) {
    case 'list':
      return `[${value.items.map(showStatic).join(', ')}]`;
    case 'dim':
      return print(value.dim);
    case 'float':
    case 'bool':
      return String(value.value);
    case 'string':
      return JSON.stringify(value.value);
    case 'function':
      return value.decl.name.name;
    case 'builtin':
      return value.builtin.name;
    case 'init': {
      const { name, args } = value.init;
      return Object.keys(args).length === 0 ? name : `${name}(${named(Object.entries(args))})`;
    }
    case 'spec': {
      const { decl, args } = value.spec;
      return `${decl.name.name}(${named([...args].map(([name, given]) => [name, showStatic(given.value)]))})`;
    }
    default:
      return describe(value).replace(/^(the|a) /, '');
  }
}

/** Arguments by name. */
function named(args: readonly (readonly [string, unknown])[]): string {
  return args.map(([name, value]) => `${name} = ${value}`).join(', ');
}
