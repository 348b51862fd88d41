import type { Ident, ModelDecl, RecipeDecl } from '../../../grammar/tree.ts';
import type { FileScope } from './file-scope.ts';

export interface RecipeAt {
  readonly decl: RecipeDecl;
  readonly file: FileScope;
}
export interface ModelAt {
  readonly decl: ModelDecl;
  readonly file: FileScope;
}

/** Why a chain of `extends` is broken. */
export type Break = { readonly base: Ident; readonly found: string | undefined; readonly circular: boolean };

/** Returns a recipe with all its bases, the outermost base first. */
export function recipeChain(recipe: RecipeAt): readonly RecipeAt[] | Break {
  const chain: RecipeAt[] = [recipe];
  for (let at = recipe; at.decl.base; ) {
    const { base } = at.decl;
    const found = at.file.lookup(base.name);
    if (found?.decl.kind !== 'recipe') return { base, found: found?.decl.kind, circular: false };
    const { decl } = found;
    if (chain.some((one) => one.decl === decl)) return { base, found: 'recipe', circular: true };
    at = { decl, file: found.file };
    chain.unshift(at);
  }
  return chain;
}

/** Returns the model name in the nearest `for` of a chain, and the file in which it is resolved. */
export function namedModel(chain: readonly RecipeAt[]): { readonly name: Ident; readonly file: FileScope } | undefined {
  for (const { decl, file } of [...chain].reverse()) if (decl.model) return { name: decl.model, file };
  return undefined;
}

/** Returns the model that a recipe trains; undefined if the chain or the name is broken. */
export function modelOfRecipe(recipe: RecipeAt): ModelAt | undefined {
  const chain = recipeChain(recipe);
  const named = 'base' in chain ? undefined : namedModel(chain);
  const found = named?.file.lookup(named.name.name);
  return found?.decl.kind === 'model' ? { decl: found.decl, file: found.file } : undefined;
}

/** Returns a model and its bases, nearest first. */
export function modelAndBases(model: ModelAt): readonly ModelAt[] {
  const all = [model];
  for (let base = baseOf(model); base; base = baseOf(base)) {
    const { decl } = base;
    if (all.some((one) => one.decl === decl)) break;
    all.push(base);
  }
  return all;
}

function baseOf({ decl, file }: ModelAt): ModelAt | undefined {
  const found = decl.base && file.lookup(decl.base.name);
  return found?.decl.kind === 'model' ? { decl: found.decl, file: found.file } : undefined;
}

/**
 * Returns the recipes for a model or its bases, nearest model first; for each model those of `beside`, then those of
 * the model's file, in source order.
 */
export function recipesOf(model: ModelAt, beside: FileScope = model.file): readonly RecipeAt[] {
  return modelAndBases(model).flatMap(({ decl, file }) =>
    [...new Set([beside, file])].flatMap((scope) =>
      scope.tree.declarations
        .filter((one) => one.kind === 'recipe')
        .map((one): RecipeAt => ({ decl: one, file: scope }))
        .filter((one) => modelOfRecipe(one)?.decl === decl),
    ),
  );
}

/**
 * Returns the training sizes of a model (`at H = 480, W = 480, T = 20`), from the first of its recipes that has any.
 * Only int literals are included.
 */
export function recipeBindings(model: ModelAt): ReadonlyMap<string, number> {
  for (const recipe of recipesOf(model)) {
    const chain = recipeChain(recipe);
    if ('base' in chain) continue;
    const sizes = new Map(
      chain.flatMap(({ decl }) =>
        decl.bindings.flatMap(({ name, value }) => (value.kind === 'int' ? [[name.name, value.value] as const] : [])),
      ),
    );
    if (sizes.size > 0) return sizes;
  }
  return new Map();
}
