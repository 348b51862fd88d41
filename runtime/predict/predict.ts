import { basename, extname, join } from 'node:path';
import type { Source } from '../build/build-model.ts';
import { writeFileSet } from '../files/file-set.ts';
import { UserError } from '../files/user-error.ts';
import { imageTensor, readImage } from '../images/image.ts';
import { encodeImage, encodeMask, maskStatistics, overlay, segment } from '../images/mask.ts';
import type { Device, HostTensor } from '../ort/session.ts';
import { surroundings } from '../process/surroundings.ts';
import { allFinite } from '../tensors/all-finite.ts';
import type { Truncation } from '../text/truncation.ts';
import { recordFor } from '../weights/trained-record.ts';
import {
  type Logits,
  noWords,
  openReferringModel,
  type ReferringModelOptions,
  referringInputs,
  refuseVocabulary,
  wordsOf,
} from './referring-model.ts';
import { differencesFrom } from './trained-model.ts';

export interface PredictOptions extends ReferringModelOptions {
  /** A vocabulary file; if undefined, the one in the weights, else the aerial vocabulary that ships with crobc. */
  readonly tokenizer: string | undefined;
  /** How a longer phrase is truncated; if undefined, as in the training of the weights, else with [SEP] kept. */
  readonly truncation: Truncation | undefined;
  readonly image: string;
  /** The phrase; undefined for a model that reads only images. */
  readonly text: string | undefined;
  /** Prints a note of one line. */
  note(line: string): void;
}

export interface Prediction {
  readonly model: string;
  readonly image: string;
  /** Null for a model that reads only images. */
  readonly text: string | null;
  readonly tokens: readonly string[];
  readonly truncated: boolean;
  readonly width: number;
  readonly height: number;
  /** Number of image pixels in the mask. */
  readonly area: number;
  readonly fraction: number;
  readonly box: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number } | null;
  /** Mean probability inside the mask; null if it is empty. */
  readonly score: number | null;
  /** Duration of one run of the model, without reading and writing files. */
  readonly milliseconds: number;
  readonly device: Device;
  readonly note: string | undefined;
  readonly files: { readonly mask: string; readonly overlay: string; readonly json: string };
}

/**
 * Builds the model (or uses an existing build), runs it on one image and one phrase, and writes `<image>.mask.png`,
 * `<image>.overlay.png` and `<image>.json`. The model's inputs must be named `image` and, if it reads words, `tokens`
 * and `mask`; its first output must be the logits.
 */
export async function predict(source: Source, options: PredictOptions): Promise<Prediction> {
  const { graph } = source;
  const isAsked = wordsOf(graph) !== undefined;
  if (!isAsked) refuseVocabulary(graph, options);
  if (!isAsked && options.text !== undefined) throw noWords(graph, '--text');
  const trained = await recordFor(source, options.weightsFile);
  const inputs = await referringInputs(graph, {
    tokenizer: options.tokenizer ?? trained?.vocabulary,
    truncation: options.truncation,
    dtype: options.dtype,
  });
  const { height, width, batch, text } = inputs;
  for (const line of trained ? await differencesFrom(trained, { graph, inputs }) : []) options.note(line);
  const picture = await readImage(options.image);
  if (batch !== undefined && batch !== 1)
    throw new UserError(
      `predict has one image, and ${source.graph.name} takes ${batch} at a time (B = ${batch}): leave B open`,
    );
  if (text && options.text === undefined)
    throw new UserError(`${graph.name} takes words: say with --text what to find`);
  const encoded = text?.tokenizer.encode(options.text ?? '', text.words);
  const model = await openReferringModel(source, options);
  let logits: Logits;
  let milliseconds: number;
  try {
    const feeds: Record<string, HostTensor> = {
      image: { dtype: 'f32', shape: [1, 3, height, width], data: imageTensor(picture, height, width) },
      ...(encoded && text
        ? {
            tokens: { dtype: 'i64', shape: [1, text.words], data: BigInt64Array.from(encoded.ids, BigInt) },
            mask: { dtype: 'bool', shape: [1, text.words], data: encoded.mask },
          }
        : {}),
    };
    const { now } = surroundings();
    const started = now();
    logits = await model.run(feeds);
    milliseconds = now() - started;
    if (!allFinite(logits.data))
      throw new UserError(`the model gave logits that are not numbers: ${await model.explain(feeds)}`);
  } finally {
    await model.release();
  }
  const found = segment(logits.data, [logits.shape[2]!, logits.shape[3]!], [picture.height, picture.width]);
  const statistics = maskStatistics(found);
  const stem = basename(options.image, extname(options.image));
  const names = { mask: `${stem}.mask.png`, overlay: `${stem}.overlay.png`, json: `${stem}.json` };
  const files = {
    mask: join(options.out, names.mask),
    overlay: join(options.out, names.overlay),
    json: join(options.out, names.json),
  };
  const prediction: Prediction = {
    model: source.graph.name,
    image: options.image,
    text: options.text ?? null,
    tokens: encoded?.tokens ?? [],
    truncated: encoded?.truncated ?? false,
    width: picture.width,
    height: picture.height,
    area: statistics.area,
    fraction: statistics.fraction,
    box: statistics.box ?? null,
    score: statistics.score ?? null,
    milliseconds: Math.round(milliseconds * 10) / 10,
    device: model.device,
    note: model.note,
    files,
  };
  await writeFileSet(
    options.out,
    new Map<string, Uint8Array | string>([
      [names.mask, await encodeMask(found)],
      [names.overlay, await encodeImage(overlay(picture, found))],
      [names.json, `${JSON.stringify(prediction, null, 2)}\n`],
    ]),
  );
  return prediction;
}
