import type { Span } from '../../../grammar/span.ts';
import type { RecipeDecl, RecipeMember } from '../../../grammar/tree.ts';
import { diagnostic } from '../../diagnostics/diagnostic.ts';
import { type Context, silent } from '../context/context.ts';
import type { ModelGraph } from '../models/model.ts';
import { covers, type Selection, selectPath, selects } from '../models/selection.ts';
import { notFound } from '../report/not-found.ts';
import { fail } from '../report/report.ts';
import { type RecipeAt, recipeChain } from '../source/recipe-chain.ts';
import { declaresParam } from '../weights/weights-map-places.ts';
import { checkBoundSizes } from './bound-sizes.ts';
import { checkComplete, evaluateBindings, evaluateSettings, mergeEquations, once } from './merge-recipes.ts';
import { checkOptimizerArguments, type Rate, readGroup, type SettingValue, type Sourced } from './recipe-settings.ts';
import { type Equations, elaborateTerms, type Losses } from './recipe-terms.ts';
import {
  checkFix,
  checkRepeated,
  evaluateInit,
  evaluateTrained,
  type Initial,
  isUpdated,
  type Trained,
} from './recipe-weights.ts';
import { selectedBy } from './select-weights.ts';

/** A recipe merged with its bases and evaluated; a nearer recipe overrides one further away. */
export interface EvaluatedRecipe {
  readonly decl: RecipeDecl;
  readonly bindings: ReadonlyMap<string, Sourced<number>>;
  /** Includes arguments of the optimizer only if they are set nearer than the optimizer itself. */
  readonly settings: ReadonlyMap<string, Sourced<SettingValue>>;
  /** Intervals in a different unit (epochs or steps) than the length, which a nearer recipe has changed. */
  readonly outdated: ReadonlyMap<string, Sourced<SettingValue>>;
  /** Nearest recipe first; the first match applies. */
  readonly groups: readonly (Sourced<Selection> & { readonly rates: ReadonlyMap<string, Rate> })[];
  /** Inherited groups without any weight that this recipe trains. */
  readonly idle: readonly Sourced<Selection>[];
  /** The trained weights, before `fixed` are excluded; all weights if undefined. */
  readonly trained: Sourced<Trained> | undefined;
  readonly fixed: readonly Sourced<Selection>[];
  readonly evaluated: readonly Sourced<Selection>[];
  /** Nearest recipe last; a later entry overrides an earlier one. */
  readonly inits: readonly (Sourced<Selection> & Initial)[];
  readonly start: Sourced<RecipeAt> | undefined;
  readonly equations: Equations;
  readonly losses: Losses;
}

/**
 * Evaluates a recipe for a model in training mode: the recipe's own model, or a variant of it. Errors are reported
 * and leave gaps.
 */
export function evaluateRecipe(context: Context, recipe: RecipeAt, model: ModelGraph): EvaluatedRecipe | undefined {
  const chain = reportedChain(context, recipe);
  return chain && evaluateChain(context, chain, model);
}

/** Returns the paths that the `eval`s of a recipe select, before the model is elaborated for training. */
export function evaluatedRoots(context: Context, recipe: RecipeAt, model: ModelGraph): readonly string[] {
  const chain = recipeChain(recipe);
  if ('base' in chain) return [];
  return chain
    .flatMap(({ decl }) => decl.members)
    .flatMap((member) => (member.kind === 'freeze' && member.mode === 'eval' ? [member.path] : []))
    .flatMap((path) => selectPath(silent(context), path, model)?.roots ?? []);
}

export function reportedChain(context: Context, recipe: RecipeAt): readonly RecipeAt[] | undefined {
  const chain = recipeChain(recipe);
  if (!('base' in chain)) return chain;
  const { base, found, circular } = chain;
  if (circular) fail({ context }, 'CROB2303', base.span, { name: recipe.decl.name.name });
  else notFound(context, base, found, 'a recipe', recipe.file);
  return undefined;
}

export function evaluateChain(context: Context, chain: readonly RecipeAt[], model: ModelGraph): EvaluatedRecipe {
  const { decl } = chain.at(-1)!;
  const { bindings, refused } = evaluateBindings(context, chain);
  const settings = new Map<string, Sourced<SettingValue>>();
  const outdated = new Map<string, Sourced<SettingValue>>();
  const groups: EvaluatedRecipe['groups'][number][] = [];
  let trained: Sourced<Trained> | undefined;
  let fixed: readonly Sourced<Selection>[] = [];
  // Only groups of the recipe itself: an inherited group may be for weights that this recipe does not train.
  let ownGroups: typeof groups = [];
  const evaluated: Sourced<Selection>[] = [];
  const inits: EvaluatedRecipe['inits'][number][] = [];
  let start: Sourced<RecipeAt> | undefined;
  for (const one of chain) {
    const { file } = one;
    evaluateSettings(context, one, settings, outdated);
    const own: typeof groups = [];
    const here = evaluateTrained(context, one, model);
    // `train` selects the complete set of trained weights, so the inherited selection is discarded.
    if (here) [trained, fixed] = [here, []];
    for (const member of one.decl.members) {
      const { span } = member;
      if (member.kind === 'start') start = evaluateStart(context, member, one) ?? start;
      if (!('path' in member)) continue;
      const value = selectedBy(context, member, model);
      if (member.kind === 'group') {
        const here = new Map<string, Span>();
        for (const { name } of member.settings) once(context, one.decl, here, name.name, name.span);
        if (value && member.settings.length === 0) {
          const args = { what: `group ${value.pattern}`, reason: 'it has no setting' };
          fail({ context }, 'CROB2329', member.path.span, args);
        }
        const rates = readGroup(context, member, file);
        if (value && own.some((before) => covers(before.value, value)))
          context.report(diagnostic('CROB2328', member.path.span, { path: value.pattern }));
        if (value) own.push({ value, span: member.path.span, rates });
      } else if (member.kind === 'freeze') {
        if (!value) continue;
        const selection = { value, span: member.path.span };
        if (!checkRepeated(context, member.mode, member.mode === 'eval' ? evaluated : fixed, selection)) continue;
        if (member.mode === 'eval') evaluated.push({ value, span });
        else if (checkFix(context, trained, selection)) fixed = [...fixed, { value, span }];
      } else {
        const init = evaluateInit(context, member, file, { model, value });
        if (value && init) inits.push({ value, span, ...init });
      }
    }
    groups.unshift(...own);
    ownGroups = own;
  }
  const allFixed = fixed.map(({ value }) => value);
  const updated = (path: string) => isUpdated(trained?.value, allFixed, path);
  const trainsSome = !(trained || fixed.length > 0) || declaresParam(context, model, updated);
  if (!trainsSome)
    fail({ context }, 'CROB2323', decl.name.span, { name: decl.name.name, missing: 'weight left to train' });
  else
    for (const { value, span } of ownGroups) {
      if (declaresParam(context, model, (path) => updated(path) && selects(value, path))) continue;
      const reason = 'this recipe trains none of these weights';
      fail({ context }, 'CROB2329', span, { what: `group ${value.pattern}`, reason });
    }
  const idle = groups.filter(
    ({ value }) => trainsSome && !declaresParam(context, model, (path) => selects(value, path) && updated(path)),
  );
  checkOptimizerArguments(context, settings);
  const equations = mergeEquations(context, chain);
  checkComplete(context, chain, equations);
  const losses = elaborateTerms(context, { name: decl.name, equations, bindings, refused }, model);
  const roots = evaluated.flatMap(({ value }) => value.roots);
  checkBoundSizes(context, decl.name, bindings, model, roots);
  return {
    decl,
    bindings,
    settings,
    outdated,
    groups,
    idle,
    trained,
    fixed,
    evaluated,
    inits,
    start,
    equations,
    losses,
  };
}

function evaluateStart(
  context: Context,
  { recipe, span }: Extract<RecipeMember, { kind: 'start' }>,
  { decl, file }: RecipeAt,
): Sourced<RecipeAt> | undefined {
  const found = file.lookup(recipe.name);
  if (found?.decl.kind !== 'recipe') return notFound(context, recipe, found?.decl.kind, 'a recipe', file);
  if (found.decl === decl) {
    fail({ context }, 'CROB2327', recipe.span, { name: recipe.name });
    return undefined;
  }
  return { value: { decl: found.decl, file: found.file }, span };
}
