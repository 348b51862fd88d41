import type { Span } from '../../../grammar/span.ts';
import type { Context } from '../context/context.ts';
import type { Instance, Val } from '../context/elaborated.ts';
import { childSource } from '../context/paths.ts';
import type { OwnPart } from '../context/store.ts';
import { madeMember } from './members.ts';

/** Returns the direct parts of an instance. They are computed once for each identity. */
export function ownParts(context: Context, instance: Instance): readonly OwnPart[] {
  const known = context.run.store.parts.get(instance.identity);
  if (known) return known;
  const { members, params } = instance.declared;
  const fields = [...members.values()].filter((member) => member.kind === 'field');
  const parts = [...fields, ...params.values()].flatMap(({ name: { name, span } }) => {
    const value = madeMember(context, instance, name);
    return value ? partsIn(value, { name, span, owner: instance }) : [];
  });
  context.run.store.parts.set(instance.identity, parts);
  return parts;
}

interface Declared {
  readonly name: string;
  readonly span: Span;
  readonly owner: Instance | undefined;
}

/** Returns the instances in a value that were constructed at this declaration; others belong to another part. */
export function partsIn(value: Val, declared: Declared, step = declared.name): readonly OwnPart[] {
  if (value.kind === 'list') return value.items.flatMap((item, i) => partsIn(item, declared, `${step}[${i}]`));
  const { name, span, owner } = declared;
  if (value.kind !== 'instance' || value.instance.source !== childSource(owner?.source ?? '', step)) return [];
  const { instance } = value;
  const path = owner && owner.path !== '' ? instance.path.slice(owner.path.length + 1) : instance.path;
  return [{ name, step, path, span, instance }];
}
