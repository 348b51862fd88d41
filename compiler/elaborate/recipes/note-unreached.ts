import type { Span } from '../../../grammar/span.ts';
import { type Diagnostic, diagnostic, isError } from '../../diagnostics/diagnostic.ts';
import { type Context, collecting, formsForTrials, trial } from '../context/context.ts';
import { attemptForm } from '../models/attempt.ts';
import { baseOf, mostTried } from '../models/blame.ts';
import type { ModelGraph } from '../models/model.ts';
import {
  type Declared,
  otherwise,
  type Place,
  placeInModel,
  reportedWeights,
  trialsOf,
} from '../models/reported-weights.ts';
import { counted, listed } from '../models/weight-groups.ts';
import { type ModelAt, modelOfRecipe, type RecipeAt } from '../source/recipe-chain.ts';
import { evaluateChain } from './recipe.ts';
import type { Losses } from './recipe-terms.ts';
import { mayLeaveUnreached, type Unreached, unreachedBy } from './unreached.ts';

/** A recipe with its bases and its losses, for a model in training mode. */
interface Trains {
  readonly chain: readonly RecipeAt[];
  readonly losses: Losses;
  readonly at: ModelAt;
  readonly model: ModelGraph;
}

/**
 * Reports a note for each `output(train)` that no term reads, and for weights that the recipe trains but that no
 * term has a gradient for. If the recipe is for this very model, the note is at the one line of the recipe that
 * causes it, or at the recipe's name; for a variant that inherits the recipe, at the variant's line. Unused outputs
 * and weights of the base recipe or base model are reported there.
 */
export function noteUnreached(context: Context, { chain, losses, at, model }: Trains): void {
  if (!mayLeaveUnreached(context, model, losses)) return;
  const of = (one: readonly RecipeAt[], form: ModelGraph = model) => unreachedOf(context, one, form);
  const found = of(chain);
  const recipe = chain.at(-1);
  if (!found || !recipe) return;
  if (modelOfRecipe(recipe)?.decl === at.decl) noteOfRecipe(context, { recipe, chain, model, found, of });
  else noteOfVariant(context, { recipe, chain, at, model, found });
}

interface OfRecipe {
  readonly recipe: RecipeAt;
  readonly chain: readonly RecipeAt[];
  readonly model: ModelGraph;
  readonly found: Unreached;
  readonly of: (chain: readonly RecipeAt[]) => Unreached | undefined;
}

/** Reports at the recipe. */
function noteOfRecipe(context: Context, { recipe: { decl, file }, chain, model, found, of }: OfRecipe): void {
  const bases = chain.slice(0, -1);
  const base = bases.at(-1);
  const before = base && modelOfRecipe(base)?.decl === model.flat.decl ? of(bases) : undefined;
  const lines = base ? decl.members.slice(0, mostTried) : [];
  let tried: readonly { readonly span: Span; readonly without: Unreached }[] | undefined;
  const trials = () => {
    tried ??= lines.flatMap(({ span }, i) => {
      const without = of([...bases, { decl: { ...decl, members: decl.members.toSpliced(i, 1) }, file }]);
      return without ? [{ span, without }] : [];
    });
    return tried;
  };
  const placeOf = (declared: Span, guilty: readonly Span[]): Place => {
    const [line, second] = guilty;
    const here = { span: declared, text: 'declared here' };
    if (line && !second) return { span: line, notes: [here] };
    return { span: decl.name.span, notes: [...otherwise(guilty), here] };
  };
  for (const name of found.outputs) {
    const output = model.flat.outputs.get(name)?.decl.name.span;
    if (!output || before?.outputs.includes(name)) continue;
    const guilty = trials()
      .filter(({ without }) => !without.outputs.includes(name))
      .map(({ span }) => span);
    const { span, notes } = placeOf(output, guilty);
    context.report(diagnostic('CROB2332', span, { recipe: decl.name.name, name }, { notes }));
  }
  const reported = reportedWeights(context, model, {
    use: found.weights,
    before: before?.weights,
    trials: () => trials().map(({ span, without }) => ({ span, without: without.weights })),
    placeOf: ({ span }: Declared, guilty) => placeOf(span, guilty),
  });
  report(context, decl.name.name, reported);
}

interface OfVariant {
  readonly recipe: RecipeAt;
  readonly chain: readonly RecipeAt[];
  readonly at: ModelAt;
  readonly model: ModelGraph;
  readonly found: Unreached;
}

/** Reports at the variant, which inherits the recipe. */
function noteOfVariant(context: Context, { recipe: { decl }, chain, at, model, found }: OfVariant): void {
  const forms = formsForTrials(context);
  const of = (one: ModelAt): Unreached | undefined =>
    trial(context, forms, (inner) => {
      const { model: other, faults } = attemptForm(inner, one);
      return other && faults.size === 0 ? unreachedOf(inner, chain, other) : undefined;
    });
  const base = baseOf(at);
  const before = base && of(base);
  for (const name of found.outputs) {
    const output = model.flat.outputs.get(name)?.decl.name.span;
    if (!output || before?.outputs.includes(name)) continue;
    context.report(diagnostic('CROB2332', output, { recipe: decl.name.name, name }));
  }
  const reported = reportedWeights(context, model, {
    use: found.weights,
    before: before?.weights,
    trials: () => trialsOf(at, (without) => of(without)?.weights),
    placeOf: (declared, guilty) => placeInModel(at.decl, declared, guilty),
  });
  report(context, decl.name.name, reported);
}

function report(context: Context, recipe: string, reported: ReturnType<typeof reportedWeights>): void {
  for (const { span, notes, wasRead, groups } of reported) {
    const longer = wasRead ? ' any longer' : '';
    const args = { recipe, weights: listed(groups), longer, count: counted(groups) };
    context.report(diagnostic('CROB2319', span, args, { notes }));
  }
}

/** Returns what a chain of recipes leaves unused; undefined if it does not fit the model. */
function unreachedOf(context: Context, chain: readonly RecipeAt[], model: ModelGraph): Unreached | undefined {
  const faults = new Map<string, Diagnostic>();
  const evaluated = evaluateChain(collecting(context, faults), chain, model);
  return [...faults.values()].some(isError) ? undefined : unreachedBy(context, model, evaluated);
}
