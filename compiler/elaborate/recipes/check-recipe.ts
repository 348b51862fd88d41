import type { ModelDecl, RecipeDecl } from '../../../grammar/tree.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { type Context, collecting, observe, silent } from '../context/context.ts';
import type { Faults } from '../context/faults.ts';
import { blamedOnLines } from '../models/blame.ts';
import { trainingGraph } from '../models/checked-model.ts';
import type { ModelGraph } from '../models/model.ts';
import { notFound } from '../report/not-found.ts';
import { fail } from '../report/report.ts';
import type { FileScope } from '../source/file-scope.ts';
import { type ModelAt, namedModel, recipeChain, recipesOf } from '../source/recipe-chain.ts';
import { placedMap } from '../weights/weights-map-places.ts';
import { checkBoundSizes } from './bound-sizes.ts';
import { evaluateBindings, mergeEquations } from './merge-recipes.ts';
import { noteUnreached } from './note-unreached.ts';
import { evaluateChain, evaluatedRoots, reportedChain } from './recipe.ts';
import { elaborateTerms, type Losses } from './recipe-terms.ts';
import { kindsOf, selectedBy, selectWeights } from './select-weights.ts';

/** A cache of models in training mode: several recipes may train one model. */
export interface TrainedModels {
  readonly context: Context;
  readonly models: Map<ModelDecl, ModelGraph | undefined>;
}

/**
 * Returns the model in training mode, undefined if it has errors. Errors that also occur in inference are reported
 * twice; the check drops duplicates.
 */
export function trainedModel({ context, models }: TrainedModels, at: ModelAt): ModelGraph | undefined {
  if (!models.has(at.decl)) models.set(at.decl, trainingGraph(context, at));
  return models.get(at.decl);
}

/** Checks a recipe against its model: names, kinds, dims, scalar terms, and paths that select something. */
export function checkRecipe(trained: TrainedModels, decl: RecipeDecl, file: FileScope): void {
  const { context } = trained;
  const chain = reportedChain(context, { decl, file });
  if (!chain) return;
  const named = namedModel(chain);
  if (!named) {
    const help = `recipe ${decl.name.name} for Model { … }`;
    fail({ context }, 'CROB2323', decl.name.span, { name: decl.name.name, missing: 'model' }, { help });
    return;
  }
  const found = named.file.lookup(named.name.name);
  if (found?.decl.kind !== 'model') {
    notFound(context, named.name, found?.decl.kind, 'a model', named.file);
    return;
  }
  const at = { decl: found.decl, file: found.file };
  const model = trainedModel(trained, at);
  if (!model) return;
  const { result, sound } = observe(context, (inner) => evaluateChain(inner, chain, model));
  if (sound) noteUnreached(context, { chain, losses: result.losses, at, model });
}

/**
 * Checks a variant against the recipe that it inherits, as far as it can differ from the recipe's own model: the
 * weights that paths select, and the inputs and outputs that terms use. `model` is in inference mode.
 */
export function checkInherited(trained: TrainedModels, at: ModelAt, model: ModelGraph): void {
  const { context } = trained;
  const recipe = at.decl.base && recipesOf(at)[0];
  const chain = recipe && recipeChain(recipe);
  if (!chain || 'base' in chain) return;
  const target = namedModel(chain)!;
  if (target.file.lookup(target.name.name)?.decl === at.decl) return;
  const trainsMore = [...model.flat.outputs.values()].some((output) => output.decl.stage);
  const form = trainsMore ? trainedModel(trained, at) : model;
  if (!form) return;
  const note = { span: at.decl.name.span, text: `${at.decl.name.name} inherits ${recipe.decl.name.name}` };
  const { bindings, refused } = evaluateBindings(silent(context), chain);
  const equations = mergeEquations(silent(context), chain);
  const inspect = (of: ModelGraph): { readonly faults: Faults; readonly losses: Losses } => {
    const faults = new Map<string, Diagnostic>();
    const inner = collecting(context, faults);
    for (const one of chain)
      for (const member of one.decl.members) {
        const more = member.kind === 'train' ? member.paths : member.kind === 'init' ? member.except : [];
        for (const path of more) selectWeights(inner, path, of, kindsOf(member));
        const selected = 'path' in member ? selectedBy(inner, member, of) : undefined;
        if (selected && member.kind === 'init' && member.via)
          placedMap(inner, member.via, one.file, { model: of, ...selected });
      }
    const losses = elaborateTerms(inner, { name: recipe.decl.name, equations, bindings, refused }, of);
    checkBoundSizes(inner, recipe.decl.name, bindings, of, evaluatedRoots(context, recipe, of));
    return { faults, losses };
  };
  const inForm = { ...context, training: trainsMore };
  const { faults, losses } = inspect(form);
  for (const d of blamedOnLines(inForm, at, faults, (of) => inspect(of).faults))
    context.report({ ...d, notes: [...d.notes.slice(0, 2), note] });
  // A model that does not read `training` is the same in both modes.
  const trainedForm = trained.models.has(at.decl) ? trained.models.get(at.decl) : model;
  if (trainedForm && faults.size === 0) noteUnreached(context, { chain, losses, at, model: trainedForm });
}
