import { type Compiled, type CompileOptions, compile, type SourceHost } from '../../compiler/compile.ts';
import { isError } from '../../compiler/diagnostics/diagnostic.ts';
import type { ModelGraph } from '../../compiler/elaborate/models/model.ts';
import { modelOfRecipe } from '../../compiler/elaborate/source/recipe-chain.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import {
  type CompiledTraining,
  compileTraining,
  type Training,
  type TrainingOptions,
} from '../../compiler/training/compile-training.ts';
import { nearest } from '../../grammar/nearest.ts';
import { cannotRead, ownPath } from '../files/source-host.ts';
import { UserError } from '../files/user-error.ts';
import { checkSizes } from './exact-sizes.ts';

/** A compiled file, which may have errors. */
export interface FileCompiled extends Compiled {
  /** The path by which sources and diagnostics refer to it. */
  readonly file: string;
}

export interface CompiledFile extends FileCompiled {
  readonly model: ModelGraph;
  readonly graph: Graph;
}

/** Compiles a model of a file. Errors in it are diagnostics. Throws a UserError if the file cannot be read. */
export function compileFrom(host: SourceHost, path: string, options: CompileOptions): FileCompiled {
  const file = ownPath(path);
  const compiled = compile(host, file, options);
  if (!compiled.program.files.has(file)) throw new UserError(cannotRead(file));
  return { ...compiled, file };
}

/**
 * Returns the requested model of a file without errors. Throws a UserError if there is no model or weights map of that
 * name, and if a size is larger than what can run.
 */
export function requireModel(
  compiled: FileCompiled,
  { model, via }: Pick<CompileOptions, 'model' | 'via'>,
): CompiledFile {
  const { file, graph, models } = compiled;
  if (models.length === 0) throw new UserError(`${file} declares no model${recipesIn(compiled)}`);
  if (model !== undefined && !models.includes(model)) throw lacks(file, 'model', model, models);
  if (via !== undefined && !compiled.maps.includes(via)) {
    const meant = nearest(via, compiled.maps) ?? compiled.maps.join(', ');
    throw new UserError(`${file} sees no weights map ${via}${meant ? `; there is ${meant}` : ''}`);
  }
  if (!graph || !compiled.model || compiled.diagnostics.some(isError))
    throw new Error('bug in crobc: a model without errors gave no graph');
  // Sizes that are too large without `--set` are errors of the source, reported by the compiler.
  if (compiled.dims.size > 0) checkSizes({ model: graph.name, dims: compiled.dims }, graph.nodes);
  return { ...compiled, graph, model: compiled.model };
}

/** The end of an error message: if a file declares only recipes, the models that they are for. */
function recipesIn({ program, file }: FileCompiled): string {
  const scope = program.files.get(file);
  const recipes = scope?.tree.declarations.filter((one) => one.kind === 'recipe') ?? [];
  const models = new Map(
    recipes.flatMap((decl) => {
      const model = scope && modelOfRecipe({ decl, file: scope });
      return model ? [[model.decl, `${model.decl.name.name} of ${model.file.file}`] as const] : [];
    }),
  );
  return models.size === 0 ? '' : `; its recipes are for ${[...models.values()].join(', ')}`;
}

export interface TrainingCompiled extends CompiledTraining {
  readonly file: string;
  /** The settings that it was compiled with, as typed: `mid.layers=3`, `recipe.lr=1e-4`. */
  readonly overrides: readonly string[];
}

export interface CompiledTrainingFile extends TrainingCompiled {
  readonly training: Training;
}

/** Compiles a model of a file with its recipe. Throws a UserError if the file cannot be read. */
export function compileTrainingFrom(host: SourceHost, path: string, options: TrainingOptions): TrainingCompiled {
  const compiled = compileTraining(host, ownPath(path), options);
  if (!compiled.program.files.has(ownPath(path))) throw new UserError(cannotRead(ownPath(path)));
  return { ...compiled, file: path, overrides: options.overrides };
}

/** Returns the requested model and recipe of a file without errors. Throws a UserError as `requireModel` does. */
export function requireTraining(
  compiled: TrainingCompiled,
  { model, recipe }: Pick<TrainingOptions, 'model' | 'recipe'>,
): CompiledTrainingFile {
  const { file, models, recipes, training } = compiled;
  const [first] = models;
  if (first === undefined) throw new UserError(`${file} declares no model`);
  if (model !== undefined && !models.includes(model)) throw lacks(file, 'model', model, models);
  const trained = model ?? first;
  if (recipes.length === 0) throw new UserError(`${file} has no recipe for ${trained}, and training needs one`);
  if (recipe !== undefined && !recipes.includes(recipe))
    throw lacks(file, `recipe for ${trained} called`, recipe, recipes);
  if (!training) throw new Error('bug in crobc: a recipe without errors gave no training');
  const sized = { model: training.inference.name, dims: training.recipe.dims };
  checkSizes(sized, [...training.forward.build.nodes, ...training.inference.nodes]);
  return { ...compiled, training };
}

function lacks(file: string, what: string, name: string, known: readonly string[]): UserError {
  const meant = nearest(name, known);
  return new UserError(
    `${file} has no ${what} ${name}; ${meant ? `did you mean ${meant}?` : `it has ${known.join(', ')}`}`,
  );
}
