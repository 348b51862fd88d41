import { basename, extname, join } from 'node:path';
import type { Source } from '../build/build-model.ts';
import { writeFileSet } from '../files/file-set.ts';
import type { ColourChoice, PictureNote } from '../images/colours.ts';
import { type Picture, readPicture } from '../images/image.ts';
import { encodeImage, encodeMask, maskStatistics, overlay, segment } from '../images/mask.ts';
import type { Device } from '../ort/session.ts';
import type { EncodedText } from '../text/tokenizer.ts';
import type { Truncation } from '../text/truncation.ts';
import { largeNote, refuseScene } from './large-image.ts';
import { encodePhrase, openPredictor, type Predictor, predictorInputs } from './predictor.ts';
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
}

/**
 * Builds the model (or uses an existing build), runs it on one image and one phrase, and writes `<image>.mask.png`,
 * `<image>.overlay.png` and `<image>.json`. The model's inputs must be named `image` and, if it reads words, `tokens`
 * and `mask`; its first output must be the logits.
 */
export async function predict(source: Source, options: PredictOptions): Promise<Prediction> {
  const inputs = await predictorInputs(source, options);
  await refuseScene(options.image);
  const picture = await readPicture(options.image, options.colours);
  const phrase = encodePhrase(source, inputs, options.text);
  const predictor = await openPredictor(source, inputs, options);
  try {
    const noted = ({ text }: PictureNote) => options.note(`${options.image}: ${text}`);
    return await predictImage(source, predictor, { ...options, picture, phrase, noted });
  } finally {
    await predictor.release();
  }
}

export interface ImageTask extends Pick<PredictOptions, 'image' | 'text' | 'name' | 'out'> {
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
  const { logits, size, milliseconds } = await predictor.run(picture, phrase);
  const found = segment(logits, size, [picture.height, picture.width]);
  const statistics = maskStatistics(found);
  const stem = fileStem(options);
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

/** What the names of the files of a prediction begin with. */
export function fileStem({ name, image }: Pick<PredictOptions, 'name' | 'image'>): string {
  return name ?? basename(image, extname(image));
}
