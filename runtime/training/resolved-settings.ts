import { defaultInterval, type Recipe } from '../../compiler/training/recipe.ts';
import { recipeValues } from './run-identity.ts';

/** A resolved setting of a recipe, with the place where it is set. */
export interface ResolvedSetting {
  readonly name: string;
  /** Null if the setting is off, such as `clip` in a recipe without it. */
  readonly value: unknown;
  readonly source: string;
}

/** Returns all settings of a recipe, given or default, preceded by its loss terms as source text. */
export function resolvedSettings(recipe: Recipe): ResolvedSetting[] {
  const values = {
    ...Object.fromEntries([...recipe.terms].map(([name, text]) => [`term ${name}`, text])),
    ...recipeValues(recipe),
    ...(recipe.trained === undefined ? { train: 'all' } : {}),
    checkpoint_every: recipe.checkpointEvery ?? defaultInterval(recipe.length),
  };
  return Object.entries(values).map(([name, value = null]) => ({ name, value, source: sourceOf(recipe, name) }));
}

/** Returns the source of a setting. Each item of a list has its own source. */
function sourceOf({ sources }: Recipe, name: string): string {
  const known = sources.get(name);
  if (known !== undefined) return known;
  const key = name === 'groups' ? 'group' : name;
  const items = [...sources].filter(([of]) => of.startsWith(`${key} `)).map(([, place]) => place);
  return items.length === 0 ? 'default' : [...new Set(items)].join(', ');
}
