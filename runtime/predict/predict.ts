import { basename, extname, join } from 'node:path';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Source } from '../build/build-model.ts';
import { writeFileSet } from '../files/file-set.ts';
import type { ColourChoice, PictureNote } from '../images/colours.ts';
import { type Picture, readPicture } from '../images/image.ts';
import { encodeImage, encodeMask, maskStatistics, overlay, segment } from '../images/mask.ts';
import type { Device } from '../ort/session.ts';
import { encodeNpy } from '../tensors/npy.ts';
import type { EncodedText } from '../text/tokenizer.ts';
import type { Truncation } from '../text/truncation.ts';
import { type AttentionTask, attentionFiles } from './attention/attention-files.ts';
import type { Word } from './attention/read-attention.ts';
import { largeNote, refuseScene } from './large-image.ts';
import { encodePhrase, openPredictor, type Predictor, type PredictorInputs, predictorInputs } from './predictor.ts';
import type { ReferringModelOptions } from './referring-model.ts';

export interface PredictOptions extends ReferringModelOptions {
  /** A vocabulary file; if undefined, the one in the weights, else the aerial vocabulary that ships with crobc. */
  readonly tokenizer: string | undefined;
  /** How a longer phrase is truncated; if undefined, as in the training of the weights, else with [SEP] kept. */
  readonly truncation: Truncation | undefined;
  readonly image: string;
  /** The phrase; undefined for a model that reads only images. */
  readonly text: string | undefined;
  /** The names of its files begin with this; by default, with the name of the image. */
  readonly name?: string;
  /** Prints a note of one line. */
  note(line: string): void;
  /** How the bands of the image become colours. */
  readonly colours: ColourChoice;
}

export interface PredictionFiles {
  readonly mask: string;
  readonly overlay: string;
  readonly json: string;
  readonly geojson?: string;
  /** With `attention`: the sheet of the phrase, that of each word, and what they show. */
  readonly attention?: string;
  readonly words?: string;
  readonly record?: string;
}

export interface Prediction {
  readonly model: string;
  readonly image: string;
  /** Null for a model that reads only images. */
  readonly text: string | null;
  readonly tokens: readonly string[];
  readonly truncated: boolean;
  /** What was assumed about the image: a sentence each. */
  readonly assumed: readonly string[];
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
  /** How a scene was divided: size and overlap of tiles in pixels of the image; undefined for one that was not. */
  readonly tiles?: {
    readonly width: number;
    readonly height: number;
    readonly overlap: number;
    readonly count: number;
    readonly global: boolean;
  };
  readonly files: PredictionFiles;
  /** The .npy file of each exposed value, by path. */
  readonly values?: Readonly<Record<string, string>>;
}

/**
 * Builds the model (or uses an existing build), runs it on one image and one phrase, and writes `<image>.mask.png`,
 * `<image>.overlay.png` and `<image>.json`. The model's inputs must be named `image` and, if it reads words, `tokens`
 * and `mask`; its first output must be the logits.
 */
export async function predict(source: Source, options: PredictOptions & Inspection): Promise<Prediction> {
  const inputs = await predictorInputs(source, options);
  await refuseScene(options.image);
  const picture = await readPicture(options.image, options.colours);
  const phrase = encodePhrase(source, inputs, options.text);
  const predictor = await openPredictor(source, inputs, options);
  try {
    const noted = ({ text }: PictureNote) => options.note(`${options.image}: ${text}`);
    const words = wordsIn(inputs, phrase);
    return await predictImage(source, predictor, { ...options, picture, phrase, noted, words });
  } finally {
    await predictor.release();
  }
}

/** What is written of intermediate values; the graph in `exposed` has them as outputs. */
export interface Inspection {
  readonly exposed?: Graph | undefined;
  /** Paths of values that are written as .npy files. */
  readonly arrays?: readonly string[] | undefined;
  readonly attention?: AttentionTask | undefined;
}

/** The words of a phrase that the model reads, at their positions among the tokens. */
function wordsIn({ text }: PredictorInputs, phrase: EncodedText | undefined): readonly Word[] {
  if (!text || !phrase) return [];
  const read = phrase.mask.reduce((sum, one) => sum + one, 0);
  const special = phrase.truncated && text.tokenizer.truncation === 'plain' ? 1 : 2;
  return phrase.tokens.slice(0, read - special).map((word, i) => ({ position: i + 1, text: word }));
}

export interface ImageTask
  extends Pick<PredictOptions, 'image' | 'text' | 'name' | 'out'>,
    Pick<Inspection, 'arrays' | 'attention'> {
  /** Only for `attention`. */
  readonly words?: readonly Word[];
  readonly picture: Picture;
  readonly phrase: EncodedText | undefined;
  /** Receives what was assumed about the image. */
  noted(note: PictureNote): void;
}

/** Predicts one image and writes its files. */
export async function predictImage(source: Source, predictor: Predictor, options: ImageTask): Promise<Prediction> {
  const { phrase } = options;
  const { image: picture } = options.picture;
  const large = largeNote(picture, predictor);
  const notes = [...options.picture.notes, ...(large ? [large] : [])];
  for (const note of notes) options.noted(note);
  const { logits, size, milliseconds, values } = await predictor.run(picture, phrase);
  const found = segment(logits, size, [picture.height, picture.width]);
  const statistics = maskStatistics(found);
  const stem = fileStem(options);
  const names = { mask: `${stem}.mask.png`, overlay: `${stem}.overlay.png`, json: `${stem}.json` };
  const { attention, words = [], arrays = [] } = options;
  const drawn =
    attention &&
    (await attentionFiles(attention, {
      ...{ stem, text: options.text ?? null, words, picture, found, values },
      size: [predictor.height, predictor.width],
    }));
  const stored = new Map(arrays.map((path) => [path, `${stem}.${path}.npy`]));
  const inOut = (named: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(named).map(([key, name]) => [key, join(options.out, name)]));
  const files: PredictionFiles = {
    mask: join(options.out, names.mask),
    overlay: join(options.out, names.overlay),
    json: join(options.out, names.json),
    ...(drawn && inOut(drawn.names)),
  };
  const prediction: Prediction = {
    model: source.graph.name,
    image: options.image,
    text: options.text ?? null,
    tokens: phrase?.tokens ?? [],
    truncated: phrase?.truncated ?? false,
    assumed: notes.map((note) => note.text),
    width: picture.width,
    height: picture.height,
    area: statistics.area,
    fraction: statistics.fraction,
    box: statistics.box ?? null,
    score: statistics.score ?? null,
    milliseconds: Math.round(milliseconds * 10) / 10,
    device: predictor.device,
    note: predictor.note,
    files,
    ...(arrays.length > 0 && { values: inOut(Object.fromEntries(stored)) }),
  };
  await writeFileSet(
    options.out,
    new Map<string, Uint8Array | string>([
      [names.mask, await encodeMask(found)],
      [names.overlay, await encodeImage(overlay(picture, found))],
      [names.json, `${JSON.stringify(prediction, null, 2)}\n`],
      ...(drawn?.files ?? []),
      ...arrays.map((path) => [stored.get(path)!, encodeNpy(values.get(path)!)] as const),
    ]),
  );
  return prediction;
}

/** What the names of the files of a prediction begin with. */
export function fileStem({ name, image }: Pick<PredictOptions, 'name' | 'image'>): string {
  return name ?? basename(image, extname(image));
}
