import type { Context } from '../context/context.ts';
import type { Instance, Val } from '../context/elaborated.ts';
import { fieldPath, partsOf } from '../modules/members.ts';
import type { ModelGraph } from './model.ts';

/**
 * A part of a model, or several parts of a list, with the path by which a recipe selects it and the paths of its
 * weights.
 */
export interface WeightPart {
  /** `backbone.norms[*]`. */
  readonly pattern: string;
  /** Paths in checkpoints: `backbone.norm0`, `backbone.norm1`, … */
  readonly roots: readonly string[];
}

/** Returns every part of a model and every weight of its modules, with its path in recipes; outer parts come first. */
export function weightParts(context: Context, model: ModelGraph): readonly WeightPart[] {
  const found: WeightPart[] = [];
  let level: (readonly [string, Val])[] = [...model.instances];
  while (level.length > 0) {
    const next: (readonly [string, Val])[] = [];
    for (const [pattern, value] of level) {
      if (value.kind === 'list') {
        found.push({ pattern: `${pattern}[*]`, roots: value.items.flatMap(rootsOf) });
        next.push(...value.items.map((item, i) => [`${pattern}[${i}]`, item] as const));
      } else if (value.kind === 'instance') {
        const { instance } = value;
        found.push({ pattern: `${pattern}.*`, roots: [instance.path] });
        found.push(...ownWeights(context, instance, pattern));
        next.push(...[...partsOf(context, instance)].map(([name, part]) => [`${pattern}.${name}`, part] as const));
      }
    }
    level = next;
  }
  return found;
}

function ownWeights(context: Context, instance: Instance, pattern: string): WeightPart[] {
  return instance.decl.members.flatMap((member) => {
    if (member.kind !== 'param' && member.kind !== 'buffer') return [];
    const root = fieldPath(context, instance, member.name.name, member.attributes, undefined);
    // Use the weight's name in checkpoints if it is a single step, since that name is well known.
    const published = root.slice(instance.path.length + 1);
    const name = published.includes('.') ? member.name.name : published;
    return [{ pattern: `${pattern}.${name}`, roots: [root] }];
  });
}

function rootsOf(value: Val): string[] {
  if (value.kind === 'list') return value.items.flatMap(rootsOf);
  return value.kind === 'instance' ? [value.instance.path] : [];
}
