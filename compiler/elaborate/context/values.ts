import type { Span } from '../../../grammar/span.ts';
import type { ModuleDecl } from '../../../grammar/tree.ts';
import { asConstant, constant, type Dim } from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import type { FileScope } from '../source/file-scope.ts';
import type { Given, Instance, Spec, Val, Writer } from './elaborated.ts';

export const error: Val = { kind: 'error' };
export const none: Val = { kind: 'none' };
export const int = (n: number): Val => ({ kind: 'dim', dim: constant(n) });
export const dimVal = (dim: Dim): Val => ({ kind: 'dim', dim });
export const float = (value: number): Val => ({ kind: 'float', value });
export const bool = (value: boolean): Val => ({ kind: 'bool', value });
export const string = (value: string): Val => ({ kind: 'string', value });
export const list = (items: readonly Val[]): Val => ({ kind: 'list', items });
export const tensor = (value: Value): Val => ({ kind: 'tensor', value });

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
  return { decl, file, args, span, writer, key: `${file.id}:${decl.name.name}(${named})` };
}

export const noneGiven: ReadonlyMap<string, Given> = new Map();

/** The names that can follow the instance and a dot. */
export function namesOf({ decl, declared }: Instance): string[] {
  return [...new Set([...decl.params, ...decl.members].map(({ name }) => name.name)), ...declared.methods.keys()];
}

/** Whether the value contains an error. */
export function hasError(value: Val): boolean {
  if (value.kind === 'list') return value.items.some(hasError);
  if (value.kind === 'tuple') return [...value.items.values()].some(hasError);
  return value.kind === 'error';
}

export function asInt(value: Val | undefined): number | undefined {
  return value?.kind === 'dim' ? asConstant(value.dim) : undefined;
}
/** Returns an int or a float as a number; undefined for other values. */
export function asNumber(value: Val | undefined): number | undefined {
  if (value?.kind === 'float') return value.value;
  return asInt(value);
}

/**
 * Returns a key that is equal for equal static values; instances, which are shared by reference, are compared by
 * path.
 */
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
      return `fn ${value.file.id}:${value.decl.name.name}`;
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
