import type { Span } from '../../../grammar/span.ts';
import type { FnDecl, ModuleDecl } from '../../../grammar/tree.ts';
import { asConstant, constant, type Dim } from '../../dims/dim.ts';
import type { Init, Value } from '../../ir/graph.ts';
import type { FileScope } from '../source/file-scope.ts';
import type { Declared, Method } from './declared.ts';
import type { Overrides } from './overrides.ts';
import type { Read } from './reads.ts';

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
  /** A built-in function by its name in the table. */
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'init'; readonly init: Init }
  | { readonly kind: 'spec'; readonly spec: Spec }
  | { readonly kind: 'instance'; readonly instance: Instance }
  | { readonly kind: 'method'; readonly instance: Instance; readonly method: Method }
  | { readonly kind: 'tensor'; readonly value: Value }
  /** Stands for what was already reported; absorbs everything. */
  | { readonly kind: 'error' };

export type TensorVal = Extract<Val, { kind: 'tensor' }>;
export type TupleVal = Extract<Val, { kind: 'tuple' }>;

export const error: Val = { kind: 'error' };
export const none: Val = { kind: 'none' };
export const int = (n: number): Val => ({ kind: 'dim', dim: constant(n) });
export const dimVal = (dim: Dim): Val => ({ kind: 'dim', dim });
export const float = (value: number): Val => ({ kind: 'float', value });
export const bool = (value: boolean): Val => ({ kind: 'bool', value });
export const string = (value: string): Val => ({ kind: 'string', value });
export const list = (items: readonly Val[]): Val => ({ kind: 'list', items });
export const tensor = (value: Value): Val => ({ kind: 'tensor', value });

/** Whose text something is: that of an instance's module, or that of a model, which goes by the place of its name, and of its bases. */
export interface Writer {
  readonly self: Instance | undefined;
  readonly model: Span | undefined;
}

/** A module to be constructed: `SwinB(window = 8)`; with parameters still open it is a slot's filling with holes. */
export interface Spec {
  readonly decl: ModuleDecl;
  readonly file: FileScope;
  readonly args: ReadonlyMap<string, Given>;
  readonly span: Span;
  readonly writer: Writer;
  /** Equal for equal modules with equal arguments. */
  readonly key: string;
}

export function specOf(
  { decl, file }: { readonly decl: ModuleDecl; readonly file: FileScope },
  args: ReadonlyMap<string, Given>,
  { span, writer }: { readonly span: Span; readonly writer: Writer },
): Spec {
  let named = '';
  if (args.size > 0)
    for (const { name } of decl.params) {
      const given = args.get(name.name);
      if (given) named += `${name.name}=${keyOf(given.value)},`;
    }
  return { decl, file, args, span, writer, key: `${file.file}:${decl.name.name}(${named})` };
}

/** An argument with the place it was written. */
export interface Given {
  readonly value: Val;
  readonly span: Span;
}

export const noneGiven: ReadonlyMap<string, Given> = new Map();

/**
 * A module under construction, or constructed: its parameters, statics and parts come to their values when they are first
 * asked for.
 */
export interface Instance {
  readonly decl: ModuleDecl;
  readonly file: FileScope;
  readonly declared: Declared;
  /** Where its weights are: `backbone.layers.0`; '' at the root. */
  readonly path: string;
  /** Its name in the source: `backbone.merges[0]`; '' at the root. */
  readonly source: string;
  /** Where it was written: `Linear(3, 4)`. */
  readonly span: Span;
  readonly writer: Writer;
  readonly args: ReadonlyMap<string, Given>;
  readonly overrides: Overrides | undefined;
  /** Stands for a part where only its members are read, which come to their values one by one; no model is made of it. */
  readonly shadow: boolean;
  /** Whether the steps of its parts were counted when its exemplar was made. */
  readonly counted: boolean;
  /** Values so far, of parameters and statics. */
  readonly statics: Map<string, Val>;
  /** Values so far, of parts. */
  readonly fields: Map<string, Val>;
  /** What of this and other modules values were made from, where that may be overridden. */
  readonly madeFrom: [name: string, reads: readonly Read[]][];
  /** Names whose values are being made, and how much of the model was waiting when each was asked for. */
  readonly busy: { readonly name: string; readonly asked: number }[];
  /** Instances of one identity behave the same but for their paths: method templates are shared by it. Set last. */
  identity: string;
}

/** What can stand behind it and a dot. */
export function namesOf({ decl, declared }: Instance): string[] {
  return [...new Set([...decl.params, ...decl.members].map(({ name }) => name.name)), ...declared.methods.keys()];
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
      return `builtin ${value.name}`;
    case 'init':
      return `~${value.init.name}${JSON.stringify(value.init.args)}`;
    case 'spec':
      return value.spec.key;
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
