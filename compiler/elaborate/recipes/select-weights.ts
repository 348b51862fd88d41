import type { Path, RecipeMember } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import type { ModelGraph } from '../models/model.ts';
import { type Selection, selectPath, selects } from '../models/selection.ts';
import { fail } from '../report/report.ts';
import { declaresWeight } from '../weights/weights-map-places.ts';

/** Returns the weights that a path selects. A path without weights, such as a `Dropout`, is reported. */
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

/** Only params are trained; files also provide buffers. */
export function kindsOf({ kind }: RecipeMember): readonly ('param' | 'buffer')[] {
  return kind === 'init' ? ['param', 'buffer'] : ['param'];
}

/** Evaluates the path of a member; `eval` selects parts, all other members select weights. */
export function selectedBy(
  context: Context,
  member: Extract<RecipeMember, { readonly path: Path }>,
  model: ModelGraph,
): Selection | undefined {
  if (member.kind === 'freeze' && member.mode === 'eval') return selectPath(context, member.path, model);
  return selectWeights(context, member.path, model, kindsOf(member));
}
