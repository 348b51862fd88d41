import { type Diagnostic, isError } from '../diagnostics/diagnostic.ts';
import { inSourceOrder } from '../diagnostics/order.ts';
import { constant, type Dim } from '../dims/dim.ts';
import { type Context, openRun, resetBudget } from '../elaborate/context/context.ts';
import { templateStore } from '../elaborate/context/store.ts';
import { modelGraph } from '../elaborate/models/checked-model.ts';
import { type Expanded, expandModel, inlineModel } from '../elaborate/models/inline.ts';
import type { ModelGraph } from '../elaborate/models/model.ts';
import type { Selection } from '../elaborate/models/selection.ts';
import { type WeightPart, weightParts } from '../elaborate/models/weight-parts.ts';
import { noteUnreached } from '../elaborate/recipes/note-unreached.ts';
import { type EvaluatedRecipe, evaluatedRoots, evaluateRecipe } from '../elaborate/recipes/recipe.ts';
import type { Equations } from '../elaborate/recipes/recipe-terms.ts';
import type { FileScope } from '../elaborate/source/file-scope.ts';
import { Program, type SourceHost } from '../elaborate/source/program.ts';
import {
  type ModelAt,
  modelOfRecipe,
  type RecipeAt,
  recipeChain,
  recipesOf,
} from '../elaborate/source/recipe-chain.ts';
import { settingsSource } from '../elaborate/source/settings-source.ts';
import { knownMaps, type PlacedMap } from '../elaborate/weights/weights-map-places.ts';
import type { Builder } from '../graphs/builder.ts';
import type { Graph, GraphInput, GraphOutput, Init, Value } from '../ir/graph.ts';
import { staticShape } from '../ir/shapes.ts';
import { type Recipe, resolveRecipe, weightSettings } from './recipe.ts';

export interface TrainingOptions {
  /** Default: the first model of the file, or the model of its first recipe if the file has no models. */
  readonly model?: string | undefined;
  /** Default: the nearest recipe for the model, or the first of several that are equally near. */
  readonly recipe?: string | undefined;
  /** Sizes of dims; they override the recipe's. */
  readonly dims: ReadonlyMap<string, number>;
  /** Settings such as `mid.layers = 3` for the model and `recipe.lr = 1e-4` for the recipe. */
  readonly overrides: readonly string[];
}

export interface TrainedWeight {
  readonly path: string;
  readonly shape: readonly number[];
  readonly role: 'param' | 'buffer';
  readonly init: Init;
  /** Whether the recipe excludes the weight from training. Buffers are never trained; only updates change them. */
  readonly frozen: boolean;
  readonly lrFactor: number;
  /** 0 for weights without weight decay. */
  readonly weightDecay: number;
  /** False for a weight that is exempt from weight decay (`@no_decay`). */
  readonly decays: boolean;
}

/** A model in training form at the recipe's sizes, with its loss. */
export interface Forward {
  /** Holds every node; weights are `weight` nodes. */
  readonly build: Builder;
  /** The model's inputs, then the recipe's. */
  readonly inputs: readonly GraphInput[];
  /** The terms of the loss by name, f32[] each. */
  readonly terms: ReadonlyMap<string, Value>;
  /** f32[], the sum of the terms. */
  readonly loss: Value;
  /** The values of buffers after the step, by path. */
  readonly updates: ReadonlyMap<string, Value>;
  readonly outputs: readonly GraphOutput[];
}

export interface Training {
  readonly recipe: Recipe;
  /** In the order in which the model first uses them. */
  readonly weights: readonly TrainedWeight[];
  /** The names by which recipes refer to the parts that contain these weights; empty if the recipe has no `init`. */
  readonly parts: readonly WeightPart[];
  /** Returns the weights maps that apply to what an `init` selects, for files with published names. */
  readonly knownMaps: (selection: Selection) => readonly PlacedMap[];
  readonly forward: Forward;
  /** The model in inference form at the recipe's sizes, except that the batch `B` stays free. */
  readonly inference: Graph;
  readonly elaborated: ElaboratedTraining;
}

/** What a training was made from, for those who write source of it. */
export interface ElaboratedTraining {
  /** The context of the model in inference form. */
  readonly context: Context;
  readonly model: ModelGraph;
  readonly recipe: RecipeAt;
  readonly equations: Equations;
  /** The files that declare the model and the recipe, without `--set`. */
  readonly files: { readonly model: string; readonly recipe: string };
}

export interface CompiledTraining {
  readonly program: Program;
  /** Empty if there is no model of that name, or no recipe of that name for it; `training` is then undefined. */
  readonly diagnostics: readonly Diagnostic[];
  readonly training: Training | undefined;
  /** Names of models and recipes, for a list of choices or a did-you-mean hint. */
  readonly models: readonly string[];
  readonly recipes: readonly string[];
}

/** Compiles a model of a file together with the recipe that trains it. */
export function compileTraining(host: SourceHost, file: string, options: TrainingOptions): CompiledTraining {
  const program = new Program(host);
  const diagnostics: Diagnostic[] = [...program.diagnostics];
  const scope = program.load(file);
  const models = scope ? modelsOf(scope) : [];
  const model = options.model === undefined ? models[0] : models.find((one) => one.decl.name.name === options.model);
  const choices = scope && model ? recipesOf(model, scope) : [];
  const compiled = (training?: Training): CompiledTraining => ({
    program,
    diagnostics: inSourceOrder([...program.diagnostics, ...diagnostics]),
    training,
    models: models.map((one) => one.decl.name.name),
    recipes: [...new Set(choices.map((one) => one.decl.name.name))],
  });
  if (!scope || !model || program.diagnostics.some(isError)) return compiled();
  const recipe =
    options.recipe === undefined ? choices[0] : choices.find((one) => one.decl.name.name === options.recipe);
  const report = (d: Diagnostic) => diagnostics.push(d);
  if (!recipe) return compiled();
  const set = withSettings(program, scope, { model, recipe }, options);
  if (program.diagnostics.some(isError)) return compiled();
  const names = {
    model: model.decl.name.name,
    recipe: recipe.decl.name.name,
    files: { model: model.file.file, recipe: recipe.file.file },
  };
  const training = elaborateTraining(program, report, set, names);
  return compiled(diagnostics.some(isError) ? undefined : training);
}

/** Returns the models that the file declares, then the models that its recipes train. */
function modelsOf(scope: FileScope): readonly ModelAt[] {
  const own = scope.tree.declarations
    .filter((one) => one.kind === 'model')
    .map((decl): ModelAt => ({ decl, file: scope }));
  const trained = scope.tree.declarations
    .filter((one) => one.kind === 'recipe')
    .flatMap((decl): readonly ModelAt[] => {
      const model = modelOfRecipe({ decl, file: scope });
      return model ? [model] : [];
    });
  const seen = new Set<ModelAt['decl']>();
  return [...own, ...trained].filter(({ decl }) => !seen.has(decl) && seen.add(decl));
}

interface Pair {
  readonly model: ModelAt;
  readonly recipe: RecipeAt;
}

/** Applies `--set` as a variant of the model, and as a recipe that extends the chosen one. */
function withSettings(program: Program, scope: FileScope, chosen: Pair, { dims, overrides }: TrainingOptions): Pair {
  const { model, recipe } = chosen;
  if (dims.size + overrides.length === 0) return chosen;
  const source = settingsSource({ model: model.decl, recipe: recipe.decl, dims, overrides });
  // Both names must be in scope; if the requested file does not have them, they are added to its scope.
  const sees = (file: FileScope) =>
    file.lookup(recipe.decl.name.name)?.decl === recipe.decl && file.lookup(model.decl.name.name)?.decl === model.decl;
  const set = program.inline(source, sees(scope) ? scope : around(scope, chosen));
  const { declarations } = set.tree;
  const variant = declarations.find((one) => one.kind === 'model');
  const extended = declarations.find((one) => one.kind === 'recipe');
  return {
    model: variant ? { decl: variant, file: set } : model,
    recipe: extended ? { decl: extended, file: set } : recipe,
  };
}

/** Returns a scope that also contains a model and a recipe of other files. */
function around(scope: FileScope, { model, recipe }: Pair): FileScope {
  const also = new Map<string, ModelAt | RecipeAt>([
    [model.decl.name.name, model],
    [recipe.decl.name.name, recipe],
  ]);
  return { ...scope, lookup: (name) => also.get(name) ?? scope.lookup(name) };
}

function elaborateTraining(
  program: Program,
  report: (d: Diagnostic) => void,
  { model, recipe }: Pair,
  names: { readonly model: string; readonly recipe: string; readonly files: ElaboratedTraining['files'] },
): Training | undefined {
  const store = templateStore();
  const inferring = openRun(program, report, { training: false, store });
  const inference = modelGraph(inferring, model.decl, model.file);
  if (!inference) return undefined;
  const roots = evaluatedRoots(inferring, recipe, inference);
  const context = openRun(program, report, { training: true, store, evaluated: roots });
  resetBudget(context);
  const trained = modelGraph(context, model.decl, model.file);
  if (!trained) return undefined;
  let sound = true;
  const counting: typeof context = {
    ...context,
    report: (d) => {
      if (isError(d)) sound = false;
      context.report(d);
    },
  };
  const evaluated = evaluateRecipe(counting, recipe, trained);
  if (!evaluated || !sound) return undefined;
  const chain = recipeChain(recipe);
  if (!('base' in chain)) noteUnreached(context, { chain, losses: evaluated.losses, at: model, model: trained });
  const resolved = resolveRecipe(evaluated, program, names);
  const bound = new Map<string, Dim>([...resolved.dims].map(([dim, n]) => [dim, constant(n)]));
  const unbatched = new Map([...bound].filter(([dim]) => dim !== 'B'));
  const named = { name: names.model, docs: model.decl.docs.join('\n') };
  const forInference = { ...inlineModel(inference, unbatched), ...named };
  const { losses } = evaluated;
  const expanded = expandModel(trained, bound, { continuation: losses });
  return {
    recipe: resolved,
    weights: weightsOf(expanded, forInference, resolved),
    parts: resolved.inits.length > 0 ? weightParts(context, trained) : [],
    knownMaps: ({ roots }) => knownMaps(context, recipe.file, { model: trained, roots }),
    forward: forwardOf(trained, losses, expanded),
    inference: forInference,
    elaborated: { context: inferring, model: inference, recipe, equations: evaluated.equations, files: names.files },
  };
}

function forwardOf(model: ModelGraph, losses: EvaluatedRecipe['losses'], expanded: Expanded): Forward {
  const { build, values } = expanded;
  const port = (one: { name: string; value: Value; docs: string }): GraphInput => ({
    ...one,
    value: values.get(one.value)!,
  });
  const terms = new Map<string, Value>();
  for (const [name, term] of losses.terms) {
    build.origin = { span: undefined, path: '', label: `term ${name}` };
    terms.set(name, typeof term === 'number' ? build.full(term, 'f32', []) : values.get(term)!);
  }
  build.origin = { span: undefined, path: '', label: 'loss' };
  const loss = [...terms.values()].reduce((sum, term) => build.add(sum, term));
  return {
    build,
    inputs: [...model.inputs, ...losses.inputs].map(port),
    terms,
    loss,
    updates: expanded.buffers,
    outputs: model.outputs.map(port),
  };
}

/** Returns the weights of the training form, then the weights that only inference reads. */
function weightsOf({ weights }: Expanded, inference: Graph, recipe: Recipe): readonly TrainedWeight[] {
  const all = new Map(weights);
  for (const node of inference.nodes)
    if (node.op === 'weight' && !all.has(node.attributes.path)) all.set(node.attributes.path, node.outputs[0]);
  return [...all].map(([path, { node, type }]): TrainedWeight => {
    if (node.op !== 'weight') throw new Error(`bug in crobc: ${path} is no weight`);
    const { role, init, decay } = node.attributes;
    return { path, shape: staticShape(type), role, init, decays: decay, ...weightSettings(recipe, path, decay) };
  });
}
