import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nearest } from '../../grammar/nearest.ts';
import type { Source } from '../build/build-model.ts';
import { type BuildRecord, readBuildRecord } from '../build/build-record.ts';
import { type CacheOptions, type Opening, openBuiltBy } from '../build/model-cache.ts';
import { referringPorts } from '../build/referring-ports.ts';
import { fileSha256 } from '../files/file-digests.ts';
import { fileError } from '../files/file-error.ts';
import { UserError } from '../files/user-error.ts';
import { threshold } from '../images/mask.ts';
import { IMAGENET_MEAN, IMAGENET_STD } from '../images/normalise.ts';
import { predictorInputs } from '../predict/predictor.ts';
import { openTokenizer, type TextInput } from '../text/tokenizer.ts';
import type { Truncation } from '../text/truncation.ts';

/** A build that can be opened, and how pictures and words become its inputs. */
export interface ServedModel {
  readonly record: BuildRecord;
  readonly onnx: string;
  readonly pictures: PictureModel;
}

/** How a model takes pictures and words; `none` has the reason why it takes only tensors. */
export type PictureModel =
  | { readonly kind: 'none'; readonly reason: string }
  | {
      readonly kind: 'pictures';
      readonly image: string;
      readonly height: number;
      readonly width: number;
      /** Undefined for a model that reads only images. */
      readonly words: { readonly tokens: string; readonly mask: string; readonly text: TextInput } | undefined;
      readonly logits: string;
    };

export interface WordOptions {
  readonly tokenizer: string | undefined;
  readonly truncation: Truncation | undefined;
}

const ending = '.manifest.json';

/** The names of the models whose builds are in a folder; none if it is no folder, or has no builds. */
export async function buildsIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length));
}

/**
 * Reads a build of `crobc build`: one of the folder's models, the only one by default. Throws a UserError if a file is
 * not the one that was built, and if the model reads words and there is no vocabulary.
 */
export async function servedBuild(folder: string, model: string | undefined, words: WordOptions): Promise<ServedModel> {
  const names = await buildsIn(folder);
  const [only] = names;
  if (model === undefined && names.length > 1)
    throw new UserError(`${folder} has the builds of ${names.join(', ')}: choose one with --model`);
  const name = model ?? only;
  if (name === undefined || !names.includes(name)) {
    const meant = (name === undefined ? undefined : nearest(name, names)) ?? names.join(', ');
    throw new UserError(`${folder} has no build of ${name}; there is ${meant}`);
  }
  const record = await readBuildRecord(join(folder, `${name}${ending}`));
  for (const { name: file, sha256 } of record.files) {
    const path = join(folder, file);
    // The client is not needed to run a model.
    if (file.endsWith('.ts')) continue;
    const found = await fileSha256(path).catch((error: unknown) => {
      throw error instanceof UserError ? error : fileError('read', path, error);
    });
    if (found !== sha256) throw new UserError(`${path} is not the file that was built: build ${name} again`);
  }
  if (!record.files.some((file) => file.name === `${name}.onnx`))
    throw new UserError(`${folder} has the manifest of ${name} without its ONNX file`);
  const text = await wordsOfBuild(folder, record, words);
  return { record, onnx: join(folder, `${name}.onnx`), pictures: pictureModel(record, text) };
}

async function wordsOfBuild(
  folder: string,
  { model, preprocessing }: BuildRecord,
  { tokenizer, truncation }: WordOptions,
): Promise<TextInput | undefined> {
  const text = preprocessing?.text;
  if (!text) {
    for (const [option, value] of Object.entries({ '--tokenizer': tokenizer, '--truncation': truncation }))
      if (value !== undefined) throw new UserError(`${option} is for models that take words, and ${model} takes none`);
    return undefined;
  }
  if (typeof text.words !== 'number') return undefined;
  const file = tokenizer ?? (text.vocabulary && join(folder, text.vocabulary.file));
  if (file === null)
    throw new UserError(
      `the build of ${model} has no vocabulary, as its weights had none: give the one of its text encoder with --tokenizer`,
    );
  return { words: text.words, tokenizer: await openTokenizer(file, truncation ?? text.truncation) };
}

/** Whether, and how, a model takes pictures. Throws a UserError for another preprocessing than that of this crobc. */
function pictureModel(
  { model, preprocessing, inputs, outputs }: BuildRecord,
  text: TextInput | undefined,
): PictureModel {
  const none = (reason: string): PictureModel => ({ kind: 'none', reason });
  if (!preprocessing) return none(`${model} has other inputs than an image and words`);
  const { image, text: words, mask } = preprocessing;
  const port = inputs.find(({ name }) => name === image.input);
  const logits = outputs.find(({ name }) => name === mask.output);
  if (port?.dtype !== 'f32' || port.shape[1] !== '3') return none(`${model} takes images that are not RGB`);
  if (logits?.dtype !== 'f32' || logits.shape.length !== 4 || logits.shape[1] !== '1')
    return none(`the output ${mask.output} of ${model} is no map of logits`);
  if (typeof image.height !== 'number' || typeof image.width !== 'number')
    return none(`the image size of ${model} is open: build it with --set H=480,W=480`);
  if (words && !text) return none(`the number of words of ${model} is open: build it with --set T=20`);
  const isOurs = mask.threshold === threshold && same(image.mean, IMAGENET_MEAN) && same(image.deviation, IMAGENET_STD);
  if (!isOurs) throw new UserError(`${model} was built for another preprocessing than that of this crobc`);
  return {
    kind: 'pictures',
    image: image.input,
    height: image.height,
    width: image.width,
    words: words && text ? { tokens: words.tokens, mask: words.mask, text } : undefined,
    logits: mask.output,
  };
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}

export interface ServedSourceOptions extends WordOptions, CacheOptions {
  /** Most images of one run; default 1. */
  readonly maxBatch: number | undefined;
  /** Prints a note of one line. */
  note(line: string): void;
}

/**
 * Builds a model into the cache of the output folder, if it is not built there, and opens it. Throws a UserError as
 * `crobc predict` does.
 */
export async function openServedSource<T>(
  source: Source,
  options: ServedSourceOptions,
  { open, release }: { open(model: ServedModel): Promise<T>; release(opened: T): Promise<void> },
): Promise<T> {
  const text = referringPorts(source.graph)
    ? (await predictorInputs(source, { ...options, openBatch: options.maxBatch ?? 1 })).text
    : undefined;
  const opening: Opening<T> = {
    open: async ({ onnx, manifest }, notes) => {
      for (const note of notes) options.note(note);
      const record = await readBuildRecord(manifest);
      return open({ record, onnx, pictures: pictureModel(record, text) });
    },
    release,
  };
  return openBuiltBy(source, options, opening);
}
