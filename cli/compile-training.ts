import { isError } from '../compiler/diagnostics/diagnostic.ts';
import { type CompiledTraining, compileTraining, type Training } from '../compiler/training/compile-training.ts';
import { nearest } from '../grammar/nearest.ts';
import { diskHost, ownPath } from '../runtime/files/source-host.ts';
import { UserError } from '../runtime/files/user-error.ts';
import { cannotRead } from './files.ts';
import { plural, printDiagnostics } from './messages.ts';
import { complain, printRendered } from './print.ts';
import { readSettings } from './settings.ts';
import { checkSizes } from './sizes.ts';

export interface CompiledTrainingFile extends CompiledTraining {
  readonly training: Training;
}

interface TrainingChoice {
  readonly model: string | undefined;
  readonly recipe: string | undefined;
  readonly set: readonly string[] | undefined;
}

/** Compiles a model with its recipe or prints what is wrong; undefined in that case. */
export function compileTrainingFile(file: string, choice: TrainingChoice): CompiledTrainingFile | undefined {
  return checkedTraining(file, choice, compiledTraining(file, choice));
}

/** A model with its recipe as it compiles; nothing of it is told yet. */
export function compiledTraining(file: string, { model, recipe, set }: TrainingChoice): CompiledTraining {
  const settings = readSettings(set);
  return compileTraining(diskHost(), ownPath(file), { model, recipe, ...settings });
}

/** Prints what is wrong; undefined in that case. */
export function checkedTraining(
  file: string,
  { model, recipe }: TrainingChoice,
  compiled: CompiledTraining,
): CompiledTrainingFile | undefined {
  const { program, diagnostics, models, recipes, training } = compiled;
  if (!program.files.has(ownPath(file))) throw new UserError(cannotRead(file));
  printRendered(printDiagnostics(diagnostics, (path) => program.files.get(path)?.tree.text));
  const errors = diagnostics.filter(isError).length;
  if (errors > 0) {
    complain(`${plural(errors, 'error')}`);
    return undefined;
  }
  if (models.length === 0) throw new UserError(`${file} declares no model`);
  if (model !== undefined && !models.includes(model)) throw lacks(file, 'model', model, models);
  const trained = model ?? models[0]!;
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
