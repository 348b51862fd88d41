import type { Path, RecipeMember } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import type { ModelGraph } from '../models/model.ts';
import { type Selection, selectPath, selects } from '../models/selection.ts';
import { fail } from '../report/report.ts';
import { declaresWeight } from '../weights/weights-map-places.ts';

/** The weights that a path selects, of which there must be some: a part without any, such as a `Dropout`, is refused. */
export function selectWeights(
  context: Context,
  path: Path,
  model: ModelGraph,
  kinds: readonly ('param' | 'buffer')[] = ['param'],
): Selection | undefined {
  const value = selectPath(context, path, model);
  if (!value) return undefined;
  const { pattern, roots } = value;
  const has = (of: typeof kinds) =>
    declaresWeight(context, model, { isWanted: (weight) => selects(value, weight), kinds: of, roots });
  if (has(kinds)) return value;
  const help = has(['buffer'])
    ? 'buffers are not trained; `eval` of the part that has them keeps them as they are'
    : kinds.includes('buffer')
      ? 'it is a part without weights'
      : `it is a part without weights; \`eval ${pattern}\` has it behave as in evaluation`;
  fail({ context }, 'CROB2322', path.span, { path: pattern, model: model.flat.name }, { help });
  return undefined;
}

/** Only params are trained; files give buffers as well. */
export function kindsOf({ kind }: RecipeMember): readonly ('param' | 'buffer')[] {
  return kind === 'init' ? ['param', 'buffer'] : ['param'];
}

/** `eval` is about how parts behave, and all others about weights. */
export function selectedBy(
  context: Context,
  member: Extract<RecipeMember, { readonly path: Path }>,
  model: ModelGraph,
): Selection | undefined {
  if (member.kind === 'freeze' && member.mode === 'eval') return selectPath(context, member.path, model);
  return selectWeights(context, member.path, model, kindsOf(member));
}
