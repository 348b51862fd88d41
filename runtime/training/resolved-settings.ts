import { defaultInterval, type Recipe } from '../../compiler/training/recipe.ts';
import { recipeValues } from './run-identity.ts';

/** A value of the resolved recipe and where it was given. */
export interface ResolvedSetting {
  readonly name: string;
  /** Null for what is not done, as by a recipe without `clip`. */
  readonly value: unknown;
  readonly source: string;
}

/** Every setting of a recipe, as it was given or by default, after its terms as they are written. */
export function resolvedSettings(recipe: Recipe): ResolvedSetting[] {
  const values = {
    ...Object.fromEntries([...recipe.terms].map(([name, text]) => [`term ${name}`, text])),
    ...recipeValues(recipe),
    ...(recipe.trained === undefined ? { train: 'all' } : {}),
    checkpoint_every: recipe.checkpointEvery ?? defaultInterval(recipe.length),
  };
  return Object.entries(values).map(([name, value = null]) => ({ name, value, source: sourceOf(recipe, name) }));
}

/** Lists have a source for each of their items. */
function sourceOf({ sources }: Recipe, name: string): string {
  const known = sources.get(name);
  if (known !== undefined) return known;
  const key = name === 'groups' ? 'group' : name;
  const items = [...sources].filter(([of]) => of.startsWith(`${key} `)).map(([, place]) => place);
  return items.length === 0 ? 'default' : [...new Set(items)].join(', ');
}
