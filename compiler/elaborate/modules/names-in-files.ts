import type { Context } from '../context/context.ts';
import type { Instance, Val } from '../context/elaborated.ts';
import { fieldPath, madeMember } from './members.ts';

/**
 * Returns the source path of a part given by its path in weights files: `mid.layer[0]` for `mid.layers.0`. Undefined
 * if nothing has that path.
 */
export function partNamedInFiles(context: Context, instance: Instance, steps: readonly string[]): string | undefined {
  let best: { readonly source: string; readonly length: number } | undefined;
  for (const member of instance.declared.members.values()) {
    if (member.kind !== 'field') continue;
    const { name } = member.name;
    const value = madeMember(context, instance, name);
    for (const [step, i] of placesOf(value)) {
      const path = fieldPath(context, instance, name, member.attributes, i);
      const own = (instance.path === '' ? path : path.slice(instance.path.length + 1)).split('.');
      if (own[0] === name || !begins(own, steps)) continue;
      const isWhole = own.length <= steps.length;
      const all = steps[own.length - 1] === '*';
      const source = `${instance.source}.${name}${isWhole ? (all && step !== '' ? '[*]' : step) : ''}`;
      if (!best || Math.min(own.length, steps.length) > best.length)
        best = { source, length: Math.min(own.length, steps.length) };
    }
  }
  return best?.source;
}

/** The help for a part that is named by its path in weights files. */
export function memberHelp(context: Context, instance: Instance, steps: readonly string[]): string | undefined {
  const source = partNamedInFiles(context, instance, steps);
  return source === undefined ? undefined : `that is its name in weights files; the part is \`${source}\``;
}

/** The items of a part as path steps below its owner. */
function placesOf(value: Val | undefined): readonly (readonly [step: string, index: number | undefined])[] {
  if (value?.kind === 'list') return value.items.map((_, i) => [`[${i}]`, i]);
  return value?.kind === 'instance' ? [['', undefined]] : [];
}

/** Whether one path is a prefix of the other; `*` matches any number, and at the end anything. */
function begins(own: readonly string[], steps: readonly string[]): boolean {
  const isAny = (i: number) => steps[i] === '*' && (i === steps.length - 1 || /^\d+$/.test(own[i] ?? ''));
  return own.slice(0, steps.length).every((part, i) => part === steps[i] || isAny(i));
}
