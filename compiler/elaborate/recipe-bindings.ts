import type { ModelDecl, RecipeDecl } from '../../grammar/tree.ts';
import type { FileScope } from './program.ts';

/**
 * The sizes that a model is trained at (`at H = 480, W = 480, T = 20`): by the first recipe for it in its file, or for
 * the nearest model that it extends. Only plain ints count.
 */
export function recipeBindings(decl: ModelDecl, file: FileScope): ReadonlyMap<string, number> {
  const seen = new Set<ModelDecl>();
  for (
    let at: { decl: ModelDecl; file: FileScope } | undefined = { decl, file };
    at && !seen.has(at.decl);
    at = baseOf(at)
  ) {
    seen.add(at.decl);
    const own = recipesFor(at.decl, at.file)[0];
    if (own) return bindingsOf(own);
  }
  return new Map();
}

function baseOf({
  decl,
  file,
}: {
  decl: ModelDecl;
  file: FileScope;
}): { decl: ModelDecl; file: FileScope } | undefined {
  const found = decl.base && file.lookup(decl.base.name);
  return found?.decl.kind === 'model' ? { decl: found.decl, file: found.file } : undefined;
}

function recipesFor(decl: ModelDecl, file: FileScope): RecipeDecl[] {
  return file.tree.declarations
    .filter((one) => one.kind === 'recipe')
    .filter((one) => one.model && one.bindings.length > 0 && file.lookup(one.model.name)?.decl === decl);
}

function bindingsOf(recipe: RecipeDecl): Map<string, number> {
  return new Map(
    recipe.bindings.flatMap(({ name, value }) => (value.kind === 'int' ? [[name.name, value.value] as const] : [])),
  );
}
