import type { Training } from '../../../compiler/training/compile-training.ts';
import { UserError } from '../../files/user-error.ts';
import type { WeightSource } from '../../weights/weights.ts';
import { initReports, type OpenInit, openInit, shownInits } from '../init-files.ts';

/** The weights from files with which a training by a recipe starts. */
export interface TorchStart {
  /** Returns the source of a weight that is not drawn. */
  readonly sourceOf: (path: string) => WeightSource | undefined;
  readonly notes: readonly string[];
  /** Why the program must be given all weights before it can train; undefined if it need not. */
  readonly needs: string | undefined;
  close(): Promise<void>;
}

/** The start of a build with all weights from one file, and of a build without weights. */
export function givenStart({ recipe }: Training, weightsFile: string | undefined): TorchStart {
  const isGiven = weightsFile !== undefined;
  return {
    sourceOf: () => undefined,
    notes: isGiven && recipe.inits.length > 0 ? ['--weights gives every weight: the files of init are not read'] : [],
    needs: isGiven ? undefined : startsFrom(recipe),
    close: async () => {},
  };
}

/**
 * Opens the files of a recipe's `init`s. A file that is missing or does not fit is no error, since the model can be used
 * without it: the program then refuses to train the weights of the build.
 */
export async function openStart(training: Training): Promise<TorchStart> {
  const { recipe, parts } = training;
  const opened: OpenInit[] = [];
  const close = async () => {
    for (const { file } of opened) await file.close();
  };
  const sources = new Map<string, WeightSource>();
  const notes: string[] = [];
  let needs = startsFrom(recipe);
  try {
    for (const init of recipe.inits) {
      const one = await openInit(init, training);
      opened.push(one);
      for (const { path } of one.weights) sources.set(path, one.file);
    }
    const reports = await initReports(recipe.inits, { ...training, parts });
    if (reports) notes.push(...shownInits(reports));
  } catch (error) {
    await close();
    if (!(error instanceof UserError)) throw error;
    needs ??= error.message;
    notes.push(`${error.message}; the training program will ask for --weights`);
    return { sourceOf: () => undefined, notes, needs, close: async () => {} };
  }
  return { sourceOf: (path) => sources.get(path), notes, needs, close };
}

function startsFrom({ name, startFrom }: Training['recipe']): string | undefined {
  if (startFrom === undefined) return undefined;
  return `recipe ${name} starts from the result of ${startFrom}`;
}
