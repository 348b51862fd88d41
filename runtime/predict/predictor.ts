import type { Source } from '../build/build-model.ts';
import { UserError } from '../files/user-error.ts';
import type { RgbImage } from '../images/image.ts';
import { imageTensor } from '../images/image-tensor.ts';
import { type NewArray, newArray } from '../ort/array-pool.ts';
import type { Device, Feeds, HostTensor } from '../ort/session.ts';
import { surroundings } from '../process/surroundings.ts';
import { allFinite } from '../tensors/all-finite.ts';
import type { EncodedText, TextInput } from '../text/tokenizer.ts';
import type { Truncation } from '../text/truncation.ts';
import { recordFor } from '../weights/trained-record.ts';
import {
  noWords,
  openReferringModel,
  type ReferringModelOptions,
  referringInputs,
  refuseVocabulary,
  wordsOf,
} from './referring-model.ts';
import { differencesFrom } from './trained-model.ts';

/** What a prediction needs of a model, checked before anything is built. */
export interface PredictorInputs {
  readonly height: number;
  readonly width: number;
  /** Undefined for a model that reads only images. */
  readonly text: TextInput | undefined;
}

/** A model that predicts one image and one phrase at a time. Must be released. */
export interface Predictor extends PredictorInputs {
  readonly device: Device;
  readonly note: string | undefined;
  /** Resizes the image to the model's size and returns its logits. Throws a UserError if a logit is not finite. */
  run(image: RgbImage, phrase: EncodedText | undefined): Promise<PredictedLogits>;
  release(): Promise<void>;
}

export interface PredictedLogits {
  /** In row-major order. */
  readonly logits: Float32Array;
  readonly size: readonly [height: number, width: number];
  /** Duration of the run of the model alone. */
  readonly milliseconds: number;
  /** The further outputs of `exposed`, by name. */
  readonly values: ReadonlyMap<string, HostTensor>;
}

export interface PredictorOptions extends Pick<ReferringModelOptions, 'dtype' | 'weightsFile'> {
  /** A vocabulary file; if undefined, the one in the weights, else the aerial vocabulary that ships with crobc. */
  readonly tokenizer: string | undefined;
  readonly truncation: Truncation | undefined;
  /** Most images of one run; default 1. */
  readonly openBatch?: number;
  /** Prints a note of one line. */
  note(line: string): void;
}

/** Checks that a model predicts single images, and that its weights belong to it. Throws a UserError. */
export async function predictorInputs(source: Source, options: PredictorOptions): Promise<PredictorInputs> {
  const { graph } = source;
  if (wordsOf(graph) === undefined) refuseVocabulary(graph, options);
  const trained = await recordFor(source, options.weightsFile);
  const inputs = await referringInputs(graph, {
    tokenizer: options.tokenizer ?? trained?.vocabulary,
    truncation: options.truncation,
    dtype: options.dtype,
    ...(options.openBatch === undefined ? {} : { openBatch: options.openBatch }),
  });
  for (const line of trained ? await differencesFrom(trained, { graph, inputs }) : []) options.note(line);
  const { height, width, batch, text } = inputs;
  if (batch !== undefined && batch !== 1)
    throw new UserError(
      `predict has one image, and ${graph.name} takes ${batch} at a time (B = ${batch}): leave B open`,
    );
  return { height, width, text };
}

/** Encodes a phrase. Throws a UserError if there is one and the model takes none, or the other way round. */
export function encodePhrase(
  { graph }: Source,
  { text }: PredictorInputs,
  phrase: string | undefined,
): EncodedText | undefined {
  if (text === undefined) {
    if (phrase !== undefined) throw noWords(graph, '--text');
    return undefined;
  }
  if (phrase === undefined) throw new UserError(`${graph.name} takes words: say with --text what to find`);
  return text.tokenizer.encode(phrase, text.words);
}

/** Builds the model, if there is no build, and opens it. */
export async function openPredictor(
  source: Source,
  inputs: PredictorInputs,
  options: ReferringModelOptions,
): Promise<Predictor> {
  const { height, width, text } = inputs;
  const model = await openReferringModel(source, options);
  const array: NewArray = (type) => model.arrays?.take(type) ?? newArray(type);
  return {
    ...inputs,
    device: model.device,
    note: model.note,
    async run(image, phrase) {
      const pixels = array({ dtype: 'f32', shape: [1, 3, height, width] });
      imageTensor(image, height, width, { out: pixels.data as Float32Array });
      const feeds = { image: pixels, ...(phrase && text ? phraseFeeds(phrase, text, array) : {}) };
      const { now } = surroundings();
      const started = now();
      const { logits, values } = await model.runExposed(feeds);
      const milliseconds = now() - started;
      if (!allFinite(logits.data))
        throw new UserError(`the model gave logits that are not numbers: ${await model.explain(feeds)}`);
      // Not after an error, when a run may still read them.
      model.arrays?.giveBack(Object.values(feeds));
      return { logits: logits.data, size: [logits.shape[2]!, logits.shape[3]!], milliseconds, values };
    },
    release: () => model.release(),
  };
}

function phraseFeeds({ ids, mask }: EncodedText, { words }: TextInput, array: NewArray): Feeds {
  const shape = [1, words];
  const feeds = { tokens: array({ dtype: 'i64', shape }), mask: array({ dtype: 'bool', shape }) };
  (feeds.tokens.data as BigInt64Array).set(ids.map(BigInt));
  (feeds.mask.data as Uint8Array).set(mask);
  return feeds;
}
