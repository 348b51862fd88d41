import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Diagnostic } from '../../../compiler/diagnostics/diagnostic.ts';
import type { Context } from '../../../compiler/elaborate/context/context.ts';
import { inlineModel } from '../../../compiler/elaborate/models/inline.ts';
import type { ModelGraph } from '../../../compiler/elaborate/models/model.ts';
import { emitTorch, type TorchPackage } from '../../../compiler/emit/torch/emit.ts';
import type { Origin } from '../../../compiler/ir/graph.ts';
import { openModelWeights, type Source } from '../../build/build-model.ts';
import type { CompiledTrainingFile } from '../../build/source-model.ts';
import type { WrittenFile } from '../../files/atomic-file.ts';
import { FileSet } from '../../files/file-set.ts';
import { makeFolder } from '../../files/make-folder.ts';
import { sourceName } from '../../files/source-name.ts';
import { UserError } from '../../files/user-error.ts';
import { checkWeightSizes, type GraphWeight, weightsOf } from '../../weights/graph-weights.ts';
import { writeSafetensorsTo } from '../../weights/safetensors.ts';
import { batchSize } from '../data.ts';
import { type ProgramFile, programFiles, trainingFolder } from './program-files.ts';
import { recipeFile, recipeFileName } from './recipe-file.ts';
import { givenStart, openStart, type TorchStart } from './start-files.ts';

export interface TorchSource extends Source {
  readonly context: Context | undefined;
  /** Elaborates the model in the form of training. */
  readonly otherMode: () => ModelGraph | undefined;
}

export interface TorchBuildOptions {
  /** The folder of the package. */
  readonly out: string;
  readonly weightsFile: string | undefined;
  readonly seed: number;
  readonly writeWeights: boolean;
  /** The model with its recipe; undefined without one. */
  readonly training: CompiledTrainingFile | undefined;
  /** Whether a training program that cannot be written is an error; otherwise there is a note, and no program. */
  readonly mustTrain: boolean;
  /** Returns the source position of a node, for messages. */
  readonly place: (origin: Origin) => string;
}

export interface TorchBuilt {
  readonly model: string;
  readonly parameters: number;
  /** The recipe of the training program; null if there is no program. */
  readonly recipe: string | null;
  readonly files: readonly WrittenFile[];
  /** What cannot be written for PyTorch; then there are no files. */
  readonly diagnostics: readonly Diagnostic[];
  readonly notes: readonly string[];
}

/**
 * Writes a Python package with the model as a PyTorch module, its weights, and the program that trains it by a recipe.
 * Throws a UserError for weights that do not fit and a folder that is not writable.
 */
export async function buildTorch(source: TorchSource, options: TorchBuildOptions): Promise<TorchBuilt> {
  const { graph } = source;
  const { weightsFile, mustTrain, writeWeights } = options;
  const weights = allWeights(source);
  const emitted = emittedOf(source, weights, options.training);
  const parameters = weights
    .filter(({ role }) => role === 'param')
    .reduce((total, { shape }) => total + shape.reduce((n, size) => n * size, 1), 0);
  const built = { model: graph.name, parameters };
  const losses = mustTrain ? (emitted.training?.diagnostics ?? []) : [];
  const diagnostics = emitted.diagnostics.length > 0 ? emitted.diagnostics : losses;
  if (diagnostics.length > 0) return { ...built, recipe: null, files: [], diagnostics, notes: [] };
  const obstacle = obstacleTo(graph.name, emitted, options);
  if (obstacle !== undefined && mustTrain) throw new UserError(obstacle);
  const training = obstacle === undefined ? options.training?.training : undefined;
  const drawn = writeWeights && weightsFile === undefined;
  const start = training && (drawn ? await openStart(training) : givenStart(training, weightsFile));
  try {
    const files = await write(source, weights, { ...options, files: filesOf(emitted, start, options.training), start });
    const notes = obstacle === undefined ? [] : [`there is no training program: ${obstacle}`];
    return {
      ...built,
      recipe: training?.recipe.name ?? null,
      files,
      diagnostics: [],
      notes: [...notes, ...(start?.notes ?? [])],
    };
  } finally {
    await start?.close();
  }
}

/** Writes the sources: of the training's program, if there is one, so that the losses are of the same declarations. */
function emittedOf(
  { program, context, model, graph, file }: TorchSource,
  weights: readonly GraphWeight[],
  compiled: CompiledTrainingFile | undefined,
): TorchPackage {
  const needed = new Set(weightsOf(graph).map(({ path }) => path));
  const from = compiled
    ? { program: compiled.program, ...compiled.training.elaborated }
    : { program, context: context ?? lacking(), model };
  return emitTorch(from.program, from.context, from.model, {
    weights: weights.map(({ path, shape }) => ({ path, shape, needed: needed.has(path) })),
    sourceName: (name) => sourceName(name, file),
    training: compiled?.training,
  });
}

function lacking(): never {
  throw new Error('bug in crobc: a model without errors has no context');
}

/** Returns why there is no training program; undefined if there is one. */
function obstacleTo(
  model: string,
  { training: written }: TorchPackage,
  { training: compiled, place }: TorchBuildOptions,
): string | undefined {
  if (!compiled) return `no recipe trains ${model}`;
  const [refused] = written?.diagnostics ?? [];
  if (refused) return `${refused.message} (${refused.span.file})`;
  try {
    batchSize(compiled.training, place);
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

/** All files but the weights. */
function filesOf(
  { files, training }: TorchPackage,
  start: TorchStart | undefined,
  compiled: CompiledTrainingFile | undefined,
): readonly ProgramFile[] {
  if (!training || !start || !compiled) return files;
  const facts = { ...training.facts, needs: start.needs ?? null };
  const sources = [...files, ...training.files, ...programFiles()];
  const recipe = recipeFile({ training: compiled.training, source: compiled }, sources);
  return [
    ...sources,
    { name: 'training.json', text: `${JSON.stringify(facts)}\n` },
    { name: recipeFileName, text: `${JSON.stringify(recipe)}\n` },
  ];
}

interface Writing extends TorchBuildOptions {
  readonly files: readonly ProgramFile[];
  readonly start: TorchStart | undefined;
}

/** The files of a training program; those of an earlier build are removed if a build has none. */
const trainingNames = ['recipe.py', 'training.json', recipeFileName, 'train.py'];

async function write(source: TorchSource, weights: readonly GraphWeight[], writing: Writing): Promise<WrittenFile[]> {
  const { out, files, writeWeights } = writing;
  if (writeWeights) checkWeightSizes(weights);
  const weightsName = `${source.graph.name}.safetensors`;
  const opened = writeWeights ? await openModelWeights(source, weights, writing) : undefined;
  const isInside = ({ name }: ProgramFile) => name.startsWith(`${trainingFolder}/`);
  const inside = files.filter(isInside);
  const own = files.filter((file) => !isInside(file));
  // A build without weights leaves an existing weights file alone: it may be the user's.
  const names = [...(writeWeights ? [weightsName] : []), ...own.map(({ name }) => name), ...trainingNames];
  const set = new FileSet(out, [...new Set(names)]);
  const below = new FileSet(
    join(out, trainingFolder),
    (inside.length > 0 ? inside : programFiles().filter(isInside)).map(({ name }) =>
      name.slice(trainingFolder.length + 1),
    ),
  );
  const written: WrittenFile[] = [];
  try {
    await makeFolder(inside.length > 0 ? join(out, trainingFolder) : out);
    for (const { name, text } of own) written.push(await set.write(name, text));
    for (const { name, text } of inside) written.push(await below.write(name.slice(trainingFolder.length + 1), text));
    if (opened) {
      const file = await set.open(weightsName);
      const read = (path: string) => (writing.start?.sourceOf(path) ?? opened).read(path);
      await writeSafetensorsTo(
        file,
        weights.map(({ path, shape }) => ({ name: path, dtype: 'F32', shape, data: () => read(path) })),
      );
      written.push(file.written());
    }
    await below.commit();
    await set.commit();
    // Not empty if the user has put files into it.
    if (inside.length === 0) await rmdir(join(out, trainingFolder)).catch(() => undefined);
  } finally {
    await set.abort();
    await below.abort();
    await opened?.close();
  }
  return written;
}

/** The weights that inference reads, followed by those that only training reads. */
function allWeights({ graph, otherMode }: TorchSource): readonly GraphWeight[] {
  const all = new Map(weightsOf(graph).map((weight) => [weight.path, weight]));
  const training = otherMode();
  if (training)
    for (const weight of weightsOf({ ...graph, ...inlineModel(training, new Map()) }))
      if (!all.has(weight.path)) all.set(weight.path, weight);
  return [...all.values()];
}
