import {
  type Check,
  isCount,
  isNumber,
  isObject,
  isShallow,
  isText,
  listOf,
  objectOf,
  oneOf,
  orNull,
  recordOf,
} from '../files/json.ts';
import { parseJson } from '../files/parse-json.ts';
import { UserError } from '../files/user-error.ts';
import type { VocabularyText } from '../text/tokenizer.ts';
import { type Truncation, truncations } from '../text/truncation.ts';
import { openTensorFile } from './open-tensors.ts';
import { SafetensorsFile } from './safetensors.ts';

/**
 * What a file of trained weights records about its model, in its metadata: with it, the file is used without the source
 * file, the recipe and the vocabulary of the training.
 */
export interface TrainedRecord {
  readonly crobc: string;
  readonly model: {
    readonly name: string;
    /** Hash of the graph for inference at the sizes in `dims`. */
    readonly graph: string;
    /** The file of `sources` that declares the model. */
    readonly file: string;
    /** Text of every source file by name: `source/…` for the user's own, `std/…` and `crobc/models/…` for those that ship. */
    readonly sources: Readonly<Record<string, string>>;
    /** Sizes of the recipe, without the batch size: `H` → 480. */
    readonly dims: Readonly<Record<string, number>>;
    /** Overrides of the model, as given with `--set`. */
    readonly overrides: readonly string[];
  };
  readonly image: {
    readonly height: number;
    readonly width: number;
    /** Of red, green and blue, for values from 0 to 1. */
    readonly mean: readonly number[];
    readonly deviation: readonly number[];
  };
  /** Null for a model that reads only images. */
  readonly text: {
    /** Number of tokens, including [CLS] and [SEP]. */
    readonly words: number;
    /** The vocabulary file: its name without folders, its SHA-256 and its text. */
    readonly vocabulary: {
      readonly name: string;
      readonly sha256: string;
      readonly text: string;
      /** How longer sentences were truncated; absent if it is `keep-sep`. */
      readonly truncation?: Truncation;
    };
  } | null;
  /** A pixel belongs to the mask if its probability is greater than this. */
  readonly threshold: number;
  readonly training: {
    readonly recipe: Readonly<Record<string, unknown>>;
    readonly seed: number;
    /** Hash of the phrases of the data set. */
    readonly data: string;
  };
}

/** The key of the record in the metadata of a safetensors file. */
export const recordKey = 'crobc.trained';

const format = 'crobc trained model 1';

const isNumbers = listOf(isNumber);
const isVocabularyText = objectOf({ name: isText, sha256: isText, text: isText });
const isTruncation = oneOf(truncations);
type RecordedVocabulary = NonNullable<TrainedRecord['text']>['vocabulary'];
const isVocabulary: Check<RecordedVocabulary> = (value): value is RecordedVocabulary =>
  isVocabularyText(value) && (!('truncation' in value) || isTruncation(value.truncation));
const isRecord: Check<TrainedRecord> = objectOf({
  crobc: isText,
  model: objectOf({
    name: isText,
    graph: isText,
    file: isText,
    sources: recordOf(isText),
    dims: recordOf(isCount),
    overrides: listOf(isText),
  }),
  image: objectOf({ height: isCount, width: isCount, mean: isNumbers, deviation: isNumbers }),
  text: orNull(objectOf({ words: isCount, vocabulary: isVocabulary })),
  threshold: isNumber,
  training: objectOf({ recipe: isObject, seed: isCount, data: isText }),
});

/** Returns the metadata of a weights file with this record. */
export function recordMetadata(record: TrainedRecord): Readonly<Record<string, string>> {
  return { [recordKey]: JSON.stringify({ format, ...record }) };
}

/**
 * Returns the record in the metadata of a weights file; undefined if it has none. Throws a UserError that names the file
 * if the record is damaged, or of a later crobc.
 */
function recordIn(path: string, metadata: ReadonlyMap<string, string>): TrainedRecord | undefined {
  const text = metadata.get(recordKey);
  if (text === undefined) return undefined;
  const held = parsed(text);
  if (isObject(held) && isText(held.format) && held.format !== format)
    throw new UserError(
      `${path} was written by another version of crobc (its record is "${held.format.slice(0, 40)}")`,
    );
  if (!isRecord(held) || !isShallow(held)) throw new UserError(`the record of the trained model in ${path} is damaged`);
  return held;
}

/** Returns what weights record about their training; undefined without a record. */
export async function openRecord(weightsFile: string): Promise<TrainedRecord | undefined> {
  const file = await openTensorFile(weightsFile);
  try {
    return file instanceof SafetensorsFile ? recordIn(weightsFile, file.metadata) : undefined;
  } finally {
    await file.close();
  }
}

/** The record of the weights that a command was given. */
export interface FoundRecord {
  readonly weightsFile: string;
  readonly record: TrainedRecord;
  /** Undefined for a model that reads only images. */
  readonly vocabulary: VocabularyText | undefined;
}

/**
 * Returns what the weights of a command record. Undefined without weights, for those with published names, and for those
 * that no training of crobc wrote.
 */
export async function recordFor(
  { via }: { readonly via?: unknown },
  weightsFile: string | undefined,
): Promise<FoundRecord | undefined> {
  if (weightsFile === undefined || via) return undefined;
  const record = await openRecord(weightsFile);
  const vocabulary = record?.text?.vocabulary;
  return record && { weightsFile, record, vocabulary: vocabulary && { ...vocabulary, within: weightsFile } };
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
