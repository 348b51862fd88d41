import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isError } from '../../compiler/diagnostics/diagnostic.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { graphHash } from '../../compiler/ir/hash.ts';
import { compileRecorded } from '../build/recorded-source.ts';
import { type CompiledFile, requireModel } from '../build/source-model.ts';
import { cut } from '../files/shown.ts';
import { ownWeights } from '../files/source-host.ts';
import { UserError } from '../files/user-error.ts';
import { threshold } from '../images/mask.ts';
import { IMAGENET_MEAN, IMAGENET_STD } from '../images/normalise.ts';
import { openTokenizer, vocabularyName } from '../text/tokenizer.ts';
import { type FoundRecord, openRecord, type TrainedRecord } from '../weights/trained-record.ts';
import type { ReferringInputs } from './referring-model.ts';

/** Trained weights that can be used alone. */
export interface TrainedModel {
  readonly weightsFile: string;
  readonly record: TrainedRecord;
  readonly compiled: CompiledFile;
}

/** Whether a path that a command was given names a trained model instead of a source file. */
export async function isTrainedModel(path: string): Promise<boolean> {
  if (path.endsWith('.safetensors')) return true;
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** The files of a training's folder that hold weights, the better first. */
const weightsNames = ['best.safetensors', 'last.safetensors'];

/**
 * Opens a trained model: the weights file of a training, or its folder, of which the best weights are taken, else the
 * last. Throws a UserError if there are none, if they do not record their model, and if its sources have errors now.
 */
export async function openTrainedModel(path: string): Promise<TrainedModel> {
  const weightsFile = await weightsIn(path);
  const record = await openRecord(weightsFile);
  if (!record) {
    throw new UserError(
      `${weightsFile} does not record its model, as weights of "crobc train" do: name the .crob file, and give these with --weights`,
    );
  }
  const compiled = compileRecorded(record.model);
  const error = compiled.diagnostics.find(isError);
  if (error) {
    throw new UserError(
      `${weightsFile} was trained by crobc ${record.crobc}, and this crobc has an error in its sources (${error.code}: ${cut(error.message, 200)}): name the .crob file, and give these with --weights`,
    );
  }
  try {
    return { weightsFile, record, compiled: requireModel(compiled, { model: record.model.name, via: undefined }) };
  } catch (reason) {
    throw reason instanceof UserError
      ? new UserError(`cannot use ${weightsFile}: ${cut(reason.message, 300)}`)
      : reason;
  }
}

/** Whether a folder has the weights of a training. */
export async function hasTrainedWeights(folder: string): Promise<boolean> {
  return (await bestWeights(folder)) !== undefined;
}

async function bestWeights(folder: string): Promise<string | undefined> {
  for (const name of weightsNames) {
    const file = join(folder, name);
    const found = await stat(file).catch(() => undefined);
    if (found?.isFile()) return file;
  }
  return undefined;
}

async function weightsIn(path: string): Promise<string> {
  if (path.endsWith('.safetensors')) return ownWeights(path);
  const found = await bestWeights(path);
  if (found !== undefined) return found;
  throw new UserError(
    `${path} is a folder, neither a .crob file nor the folder of a training: it has no ${weightsNames.join(' or ')}`,
  );
}

/**
 * Compares a model with what its weights were trained for. Throws a UserError for another vocabulary or preprocessing,
 * with which the weights mean nothing. Returns a note for each other difference.
 */
export async function differencesFrom(
  { record, weightsFile }: FoundRecord,
  { graph, inputs }: { readonly graph: Graph; readonly inputs: ReferringInputs },
): Promise<readonly string[]> {
  const { image, text, model } = record;
  if (
    record.threshold !== threshold ||
    !sameNumbers(image.mean, IMAGENET_MEAN) ||
    !sameNumbers(image.deviation, IMAGENET_STD)
  )
    throw new UserError(`${weightsFile} was trained with another preprocessing than that of this crobc`);
  if (inputs.text && text && inputs.text.tokenizer.hash !== text.vocabulary.sha256) {
    const { tokenizer } = inputs.text;
    const trained = await openTokenizer(text.vocabulary);
    if (tokenizer.pieces !== trained.pieces) {
      throw new UserError(
        `${weightsFile} was trained with the vocabulary ${text.vocabulary.name}, and ${vocabularyName(tokenizer.source)} is another, in which its words are other words: leave --tokenizer out, as the weights contain their vocabulary`,
      );
    }
  }
  const notes: string[] = [];
  const sizes = [inputs.height, inputs.width];
  const isSized = image.height === sizes[0] && image.width === sizes[1];
  if (!isSized)
    notes.push(
      `the weights were trained on images of ${image.height} × ${image.width}, and the model takes ${sizes.join(' × ')}`,
    );
  const truncation = text?.vocabulary.truncation ?? 'keep-sep';
  if (inputs.text && text && inputs.text.tokenizer.truncation !== truncation)
    notes.push(
      `the weights were trained with --truncation ${truncation}, and longer phrases are truncated by ${inputs.text.tokenizer.truncation}`,
    );
  const words = inputs.text?.words;
  if (text && words !== undefined && words !== text.words)
    notes.push(`the weights were trained on phrases of ${text.words} tokens, and the model takes ${words}`);
  if (graph.name !== model.name) notes.push(`the weights were trained for ${model.name}, and this is ${graph.name}`);
  else if (isSized && words === text?.words && graphHash(graph) !== model.graph)
    notes.push(
      `the weights were trained for a ${model.name} with other equations: its source or its settings have changed`,
    );
  return notes;
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}
