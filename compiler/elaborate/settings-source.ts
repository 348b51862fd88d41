import type { ModelDecl, RecipeDecl } from '../../grammar/tree.ts';

/** The name under which `--set` is read as source. */
export const settingsFile = '--set';

/** `--set mid.layers=3`: a variant of the model. */
export function variantSource(model: ModelDecl, overrides: readonly string[]): string {
  return `model ${model.name.name}_set extends ${model.name.name} {\n${lines(overrides)}}\n`;
}

/**
 * `--set recipe.clip=1` and `--set H=256`: a recipe that extends the chosen one. `settings` are without `recipe.`;
 * `batch` is the dim B.
 */
export function recipeSource(
  recipe: RecipeDecl,
  dims: ReadonlyMap<string, number>,
  settings: readonly string[],
): string {
  const isBatch = /^batch\s*=/;
  const sizes = [
    ...[...dims].map(([name, n]) => `${name} = ${n}`),
    ...settings.filter((text) => isBatch.test(text)).map((text) => text.replace(isBatch, 'B =')),
  ];
  const { name } = recipe.name;
  const at = sizes.length > 0 ? ` at ${sizes.join(', ')}` : '';
  return `recipe ${name}_set extends ${name}${at} {\n${lines(settings.filter((text) => !isBatch.test(text)))}}\n`;
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `  ${text}\n`).join('');
}
