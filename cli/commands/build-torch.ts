import { originPlace } from '../../runtime/build/origin-place.ts';
import {
  type CompiledFile,
  type CompiledTrainingFile,
  compileFrom,
  requireModel,
} from '../../runtime/build/source-model.ts';
import { byteSize } from '../../runtime/files/byte-size.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { isTrainedModel } from '../../runtime/predict/trained-model.ts';
import { buildTorch } from '../../runtime/training/torch/build-package.ts';
import { isPrintedRight, viaOf } from '../compile-file.ts';
import { checkedTraining, compiledTraining } from '../compile-training.ts';
import { type GivenModel, givenModel } from '../given-model.ts';
import type { Invocation } from '../io.ts';
import { complain, printJson, printLine } from '../print.ts';
import { withPublishedNames } from '../published-names.ts';
import { readSettings } from '../settings.ts';
import type { BuildOptions } from './build-options.ts';

/** `crobc build --target torch`. `given` holds the options that were given on the command line. */
export async function buildForTorch(
  io: Invocation,
  file: string,
  options: BuildOptions,
  given: ReadonlySet<string>,
): Promise<number> {
  if (options.dtype !== 'f32')
    throw new UsageError('--dtype is for --target onnx: PyTorch converts a module, model.half()');
  if (options.recompute !== undefined)
    throw new UsageError('--recompute is for --target tfjs, which writes the training program, and for crobc train');
  const started = io.clock.now();
  const chosen = await chosenModel(io, file, options);
  if (!chosen) return 1;
  const { compiled, weightsFile, training } = chosen;
  // The weights with which crobc train would begin.
  const seed = training && !given.has('seed') ? training.training.recipe.seed : options.seed;
  const built = await buildTorch(compiled, {
    out: options.out,
    weightsFile: options.weights === false ? undefined : weightsFile,
    seed,
    writeWeights: options.weights !== false,
    training,
    mustTrain: options.recipe !== undefined,
    place: (origin) => originPlace(training?.program ?? compiled.program, origin) ?? '',
  });
  if (!isPrintedRight(io, { ...compiled, diagnostics: built.diagnostics })) return 1;
  const milliseconds = Math.round(io.clock.now() - started);
  const { model, parameters, recipe, files } = built;
  if (options.json) {
    printJson(io, { model, parameters, recipe, files, milliseconds });
    return 0;
  }
  printLine(io, `${model}: ${parameters.toLocaleString('en')} parameters, ${(milliseconds / 1000).toFixed(1)} s`);
  for (const { path, bytes } of files) printLine(io, `  ${path}  ${byteSize(bytes)}`);
  for (const note of built.notes) complain(io, `note: ${note}`);
  if (options.weights !== false && weightsFile === undefined && parameters > 0)
    complain(io, `note: weights are initial ones, drawn from seed ${seed}; give trained ones with --weights`);
  return 0;
}

interface Chosen extends GivenModel {
  readonly training: CompiledTrainingFile | undefined;
}

/** Compiles the model and, where a recipe trains it, its training. Prints errors and returns undefined if there are any. */
async function chosenModel(io: Invocation, file: string, options: BuildOptions): Promise<Chosen | undefined> {
  const { model, recipe, set, weights } = options;
  if (await isTrainedModel(file)) {
    if (recipe !== undefined)
      throw new UsageError(`--recipe is for a .crob file, and ${file} is a trained model, which has no recipe`);
    const chosen = await givenModel(io, file, options);
    return chosen && { ...chosen, training: undefined };
  }
  const choice = { model, recipe, set };
  const trained = compiledTraining(file, choice);
  if (trained.recipes.length === 0 && recipe === undefined) {
    const chosen = await givenModel(io, file, options);
    if (chosen && set !== undefined) refuseSizes(chosen);
    return chosen && { ...chosen, training: undefined };
  }
  const training = checkedTraining(io, choice, trained);
  if (!training) return undefined;
  const compiled = modelOfTraining(training, set, viaOf({ ...options }));
  const weightsFile = typeof weights === 'string' ? weights : undefined;
  return { compiled: await withPublishedNames(io, compiled, weightsFile), weightsFile, training };
}

/**
 * Compiles the model of a training without its sizes, which are those of the recipe: a module has those of its arguments.
 * The diagnostics have been printed.
 */
export function modelOfTraining(
  { training }: CompiledTrainingFile,
  set: readonly string[] | undefined,
  via?: string,
): CompiledFile {
  const overrides = readSettings(set).overrides.filter((one) => !one.trimStart().startsWith('recipe.'));
  const own = { model: training.recipe.model, via };
  return requireModel(
    compileFrom(diskHost(), training.elaborated.files.model, { ...own, dims: new Map(), overrides }),
    own,
  );
}

function refuseSizes({ compiled: { dims } }: GivenModel): void {
  if (dims.size === 0) return;
  throw new UsageError(`--set ${[...dims.keys()].join(', ')}: a PyTorch module has the sizes of its arguments`);
}
