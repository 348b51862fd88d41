import type { Span } from '../../../grammar/span.ts';
import type { Context } from '../context/context.ts';
import type { Instance } from '../context/elaborated.ts';
import { childPath } from '../context/paths.ts';
import type { OwnPart } from '../context/store.ts';
import { fieldPath } from '../modules/members.ts';
import { ownParts, partsIn } from '../modules/own-parts.ts';
import type { ModelGraph } from './model.ts';

/** A weight declared by a part of a model. Shared parts have it once. */
export interface PlacedWeight {
  /** Path in checkpoints: `backbone.layers.0.norm.weight`. */
  readonly path: string;
  /** The declarations of the parts on its path, outermost first, and its own declaration. */
  readonly spans: readonly Span[];
}

/** Returns the weights that an instance itself declares, with paths relative to it. */
export function ownWeights(
  context: Context,
  instance: Instance,
): readonly { readonly path: string; readonly span: Span }[] {
  return instance.decl.members.flatMap((member) => {
    if (member.kind !== 'param' && member.kind !== 'buffer') return [];
    const path = fieldPath(context, instance, member.name.name, member.attributes, undefined);
    return [{ path: instance.path === '' ? path : path.slice(instance.path.length + 1), span: member.name.span }];
  });
}

export function placedWeights(context: Context, model: ModelGraph): readonly PlacedWeight[] {
  const found: PlacedWeight[] = [];
  const visit = ({ instance }: OwnPart, path: string, spans: readonly Span[]): void => {
    for (const own of ownWeights(context, instance))
      found.push({ path: childPath(path, own.path), spans: [...spans, own.span] });
    for (const part of ownParts(context, instance)) visit(part, childPath(path, part.path), [...spans, part.span]);
  };
  for (const [name, value] of model.instances) {
    const span = model.flat.fields.get(name)?.decl.path.span ?? model.flat.params.get(name)?.decl.name.span;
    if (!span) continue;
    for (const part of partsIn(value, { name, span, owner: undefined })) visit(part, part.instance.path, [span]);
  }
  return found;
}
