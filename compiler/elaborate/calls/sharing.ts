import type { Context } from '../context/context.ts';
import type { Method } from '../context/declared.ts';
import type { Given, Instance, Template, Val } from '../context/elaborated.ts';
import type { Shared, TemplateStore } from '../context/store.ts';
import { keyOf, none } from '../context/values.ts';
import { holdsModule } from '../modules/instance.ts';

const valuesKey = (names: readonly string[], member: (name: string) => Val | undefined): string =>
  names.map((name) => keyOf(member(name) ?? none)).join(';');

/** Stores a template as a candidate for other instances, by the values that its elaboration read. */
export function offer({ byMethod }: TemplateStore, method: string, shared: Shared): void {
  const values = new Map<string, Val>();
  for (const read of shared.reads)
    if (read.kind === 'member' && read.instance === shared.self && read.value && !holdsModule(read.value))
      values.set(read.name, read.value);
  const names = [...values.keys()].sort();
  const groups = byMethod.get(method) ?? [];
  byMethod.set(method, groups);
  const joined = names.join();
  let group = groups.find((one) => one.names.join() === joined);
  if (!group) {
    group = { names, byValues: new Map() };
    groups.push(group);
  }
  const key = valuesKey(names, (name) => values.get(name));
  group.byValues.set(key, [...(group.byValues.get(key) ?? []), shared]);
}

/**
 * Returns the candidates for which the instance has the same values of the plain parameters and statics that they
 * read.
 */
export function offered(
  { byMethod }: TemplateStore,
  method: string,
  member: (name: string) => Val | undefined,
): readonly Shared[] {
  return (byMethod.get(method) ?? []).flatMap(({ names, byValues }) => byValues.get(valuesKey(names, member)) ?? []);
}

export interface Sharing {
  member(instance: Instance, name: string): Val | undefined;
  template(instance: Instance, method: Method, given: ReadonlyMap<string, Given>): Template | undefined;
  place(self: Instance, callee: Instance): string;
  /** Whether a caller's body is the same for either of two callees. */
  alike(one: Template, other: Template): boolean;
}

/** Replacements of called templates, by the index of the call in the body. */
export type Replaced = ReadonlyMap<number, Template>;

/**
 * Checks that everything that was read for one instance reads the same for another; undefined if not. Calls may be
 * of a different template with the same signature, as a caller depends only on the signature: these replacements are
 * returned.
 */
export function readsTheSame(context: Context, shared: Shared, self: Instance, sharing: Sharing): Replaced | undefined {
  const counterparts = new Map<Instance, Instance>([[shared.self, self]]);
  const replaced = new Map<number, Template>();
  for (const read of shared.reads) {
    if (read.kind === 'exact') return undefined;
    if (read.kind === 'training') {
      if (read.value !== context.training) return undefined;
      continue;
    }
    const instance = counterparts.get(read.instance);
    if (!instance || instance.decl !== read.instance.decl) return undefined;
    if (read.kind === 'member') {
      if (!same(read.value, sharing.member(instance, read.name), counterparts)) return undefined;
      continue;
    }
    const method = instance.declared.methods.get(read.method.decl.name.name);
    if (method?.decl !== read.method.decl || sharing.place(self, instance) !== read.place) return undefined;
    const template = sharing.template(instance, method, read.given);
    if (template === read.template) continue;
    if (!template || !sharing.alike(template, read.template)) return undefined;
    replaced.set(read.at, template);
  }
  return replaced;
}

/**
 * Whether two values correspond. Modules correspond if they are in corresponding places; reads of their members are
 * compared separately.
 */
function same(was: Val | undefined, is: Val | undefined, counterparts: Map<Instance, Instance>): boolean {
  if (was === undefined || is === undefined) return was === is;
  if (was.kind === 'instance') {
    if (is.kind !== 'instance') return false;
    const known = counterparts.get(was.instance);
    if (known) return known === is.instance;
    counterparts.set(was.instance, is.instance);
    return true;
  }
  if (was.kind === 'method') {
    if (is.kind !== 'method' || is.method.decl !== was.method.decl) return false;
    return same(
      { kind: 'instance', instance: was.instance },
      { kind: 'instance', instance: is.instance },
      counterparts,
    );
  }
  if (was.kind === 'list') {
    return (
      is.kind === 'list' &&
      was.items.length === is.items.length &&
      was.items.every((item, i) => same(item, is.items[i], counterparts))
    );
  }
  return was.kind === is.kind && keyOf(was) === keyOf(is);
}
