import { basename, join } from 'node:path';
import type { Diagnostic } from '../../../compiler/diagnostics/diagnostic.ts';
import type { CompiledTrainingFile } from '../../build/source-model.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { makeFolder } from '../../files/make-folder.ts';
import { noWords, referringInputs, refuseVocabulary, wordsOf } from '../../predict/referring-model.ts';
import { differencesFrom } from '../../predict/trained-model.ts';
import { during, whileAt } from '../../process/stage.ts';
import { exitCodeOf, listenForStop, type StopSignal } from '../../process/stop-signal.ts';
import { surroundings } from '../../process/surroundings.ts';
import { type FoundRecord, recordFor } from '../../weights/trained-record.ts';
import { CheckpointStore } from '../checkpoint.ts';
import { type InitReports, shownInits } from '../init-files.ts';
import { lockRun, type RunLock } from '../run-lock.ts';
import { initsOf, refuseEarlierRun, requireStart, type Trained, type TrainOptions } from '../train.ts';
import { buildTorch, type TorchSource } from './build-package.ts';
import { findPython } from './find-python.ts';
import { ProgramRun } from './program-run.ts';
import { checkProcesses, programFolder, programWords, type TorchOptions } from './program-words.ts';
import { programLog, type RunningProgram, runProgram } from './run-program.ts';

export interface TorchTrainOptions extends TrainOptions {
  readonly source: CompiledTrainingFile;
  /** The model for inference, from which the package is written. */
  readonly inference: TorchSource;
  readonly torch: TorchOptions;
}

/** A finished run, or why there is none: its model cannot be written for PyTorch, or a signal came before the first step. */
export interface TorchTrained {
  readonly trained: Trained | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly stopped?: StopSignal;
}

/**
 * Trains a model by a PyTorch program: writes the package to `program/` in the folder of the run, and runs it in a Python
 * with PyTorch. Throws a UserError of one line.
 */
export async function trainTorch(options: TorchTrainOptions): Promise<TorchTrained> {
  const { out, note, training } = options;
  if (!wordsOf(training.inference)) {
    refuseVocabulary(training.inference, options);
    if (options.blank) throw noWords(training.inference, '--no-phrases');
  }
  if (!options.resume) requireStart(options);
  const python = await during('looking for Python', () => findPython(options.torch.python));
  checkProcesses(options, python);
  await makeFolder(out);

  const run = new ProgramRun({ recipe: training.recipe, out, note });
  let program: RunningProgram | undefined;
  let locking: Promise<RunLock> | undefined;
  const { signals } = surroundings();
  const stop = listenForStop(
    (signal) => {
      if (run.started) {
        note(`${signal}: finishing the step and saving it; once more ends at once`);
        program?.stop(signal);
        return;
      }
      note(`${signal}: ended before the first step, nothing was saved`);
      program?.kill();
      const end = () => signals.end(exitCodeOf(signal));
      void Promise.resolve(locking)
        .then((lock) => lock?.releaseNow())
        .then(end, end);
    },
    () => program?.kill(),
  );
  try {
    locking = lockRun(out);
    const lock = await locking;
    try {
      const prepared = await prepare(options);
      if (prepared.diagnostics.length > 0) return { trained: undefined, diagnostics: prepared.diagnostics };
      await during('starting PyTorch', async () => {
        const command = { python: python.command, words: programWords(options, prepared), log: programLog(out) };
        program = await runProgram(command, (line) => run.take(line), note);
        await Promise.race([run.begun, program.ended]);
      });
      await program!.ended;
      return { trained: await run.result(prepared.inits), diagnostics: [] };
    } catch (error) {
      // The program was ended before it began.
      if (stop.signal && !run.started) return { trained: undefined, diagnostics: [], stopped: stop.signal };
      throw error;
    } finally {
      await run.close();
      await lock.release();
    }
  } finally {
    program?.kill();
    stop.release();
  }
}

interface Prepared {
  readonly diagnostics: readonly Diagnostic[];
  /** The vocabulary to pass on; undefined for what the program finds itself. */
  readonly tokenizer: string | undefined;
  readonly inits: InitReports | undefined;
}

/** Writes the package, for a new run with the weights to start from. */
async function prepare(options: TorchTrainOptions): Promise<Prepared> {
  const { out, note, training, resume, weightsFile } = options;
  const store = new CheckpointStore(out);
  await refuseEarlierRun(options, store);
  const begins = !resume || (await store.steps()).length === 0;
  const record = begins ? await recordFor({}, weightsFile) : undefined;
  if (record) await noteDifferences(options, record);
  const inits = begins ? await initsOf(options) : undefined;
  for (const line of inits ? shownInits(inits) : []) note(line);
  const folder = programFolder(out);
  const built = await whileAt('writing the program', () =>
    buildTorch(options.inference, {
      out: folder,
      weightsFile: begins ? weightsFile : undefined,
      seed: training.recipe.seed,
      writeWeights: begins,
      training: options.source,
      mustTrain: true,
      place: options.place,
    }),
  );
  const { tokenizer = record && (await recordedVocabulary(record, folder)) } = options;
  return { diagnostics: built.diagnostics, tokenizer, inits };
}

/** Notes where the weights to start from were trained otherwise. Throws a UserError for another vocabulary. */
async function noteDifferences({ training, tokenizer, truncation, note }: TorchTrainOptions, record: FoundRecord) {
  const graph = training.inference;
  const inputs = await referringInputs(graph, { tokenizer: tokenizer ?? record.vocabulary, truncation });
  for (const line of await differencesFrom(record, { graph, inputs })) note(line);
}

/** Writes the vocabulary of weights to a file of its name; undefined for a model that reads only images. */
async function recordedVocabulary({ vocabulary }: FoundRecord, folder: string): Promise<string | undefined> {
  if (!vocabulary) return undefined;
  const path = join(folder, 'vocabulary', basename(vocabulary.name));
  await makeFolder(join(folder, 'vocabulary'));
  await writeFileAtomic(path, vocabulary.text);
  return path;
}
