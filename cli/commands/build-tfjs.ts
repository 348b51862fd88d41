import { byteSize } from '../../runtime/files/byte-size.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { UserError } from '../../runtime/files/user-error.ts';
import { buildTfjs, type TfjsSource } from '../../runtime/training/build-tfjs.ts';
import { compileFile } from '../compile-file.ts';
import { checkedTraining, compiledTraining } from '../compile-training.ts';
import type { Invocation } from '../io.ts';
import { complain, printJson, printLine } from '../print.ts';
import type { BuildOptions } from './build-options.ts';

/** `crobc build --target tfjs`. */
export async function buildForTfjs(io: Invocation, file: string, options: BuildOptions): Promise<number> {
  if (options.dtype !== 'f32') throw new UsageError('TensorFlow.js has no half precision: leave --dtype at f32');
  if (options.via !== undefined)
    throw new UsageError(
      '--via is for --target onnx: a recipe takes published weights with init … via, and training writes them out',
    );
  const started = io.clock.now();
  const source = compiledSource(io, file, options);
  if (!source) return 1;
  if (options.recompute !== undefined && !source.training)
    throw new UserError(`--recompute is for training, and no recipe trains ${source.graph.name}`);
  const built = await buildTfjs(source, {
    out: options.out,
    weightsFile: typeof options.weights === 'string' ? options.weights : undefined,
    seed: options.seed,
    writeWeights: options.weights !== false,
    recompute: options.recompute ?? [],
  });
  const milliseconds = Math.round(io.clock.now() - started);
  if (options.json) {
    printJson(io, { ...built, milliseconds });
    return 0;
  }
  const seconds = (milliseconds / 1000).toFixed(1);
  printLine(io, `${built.model}: ${built.parameters.toLocaleString('en')} parameters, ${seconds} s`);
  for (const { path, bytes } of built.files) printLine(io, `  ${path}  ${byteSize(bytes)}`);
  if (!source.training) complain(io, `note: no recipe trains ${built.model}: there is no training program`);
  if (options.weights === undefined)
    complain(io, `note: weights are initial ones, drawn from seed ${options.seed}; give trained ones with --weights`);
  return 0;
}

/** Compiles the model with its recipe, at the recipe's sizes; without a recipe, at the sizes from `--set`. */
function compiledSource(io: Invocation, file: string, { model, set }: BuildOptions): TfjsSource | undefined {
  const choice = { model, recipe: undefined, set };
  const trained = compiledTraining(file, choice);
  if (trained.recipes.length > 0) {
    const { training } = checkedTraining(io, choice, trained) ?? {};
    return training && { graph: training.inference, dims: training.recipe.dims, training };
  }
  const compiled = compileFile(io, file, model, set);
  return compiled && { ...compiled, training: undefined };
}
