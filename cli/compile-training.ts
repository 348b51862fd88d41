import {
  type CompiledTrainingFile,
  compileTrainingFrom,
  requireTraining,
  type TrainingCompiled,
} from '../runtime/build/source-model.ts';
import { diskHost } from '../runtime/files/source-host.ts';
import { whileAt } from '../runtime/process/stage.ts';
import { isPrintedRight } from './compile-file.ts';
import type { Io } from './io.ts';
import { readSettings } from './settings.ts';

interface TrainingChoice {
  readonly model: string | undefined;
  readonly recipe: string | undefined;
  readonly set: readonly string[] | undefined;
}

/** Compiles a model with its recipe; prints the errors and returns undefined if there are any. */
export function compileTrainingFile(io: Io, file: string, choice: TrainingChoice): CompiledTrainingFile | undefined {
  return checkedTraining(io, choice, compiledTraining(file, choice));
}

/** Compiles a model with its recipe without printing diagnostics. */
export function compiledTraining(file: string, { model, recipe, set }: TrainingChoice): TrainingCompiled {
  const settings = readSettings(set);
  return whileAt(`compiling ${file} with its recipe`, () =>
    compileTrainingFrom(diskHost(), file, { model, recipe, ...settings }),
  );
}

/** Prints the diagnostics; returns undefined if there are errors. */
export function checkedTraining(
  io: Io,
  choice: TrainingChoice,
  compiled: TrainingCompiled,
): CompiledTrainingFile | undefined {
  return isPrintedRight(io, compiled) ? requireTraining(compiled, choice) : undefined;
}
