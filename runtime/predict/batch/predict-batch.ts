import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Source } from '../../build/build-model.ts';
import { modelIdentity } from '../../build/model-cache.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { fileError } from '../../files/file-error.ts';
import { isObject, isText, objectOf } from '../../files/json.ts';
import { makeFolder } from '../../files/make-folder.ts';
import { parseJson } from '../../files/parse-json.ts';
import { readText } from '../../files/read-file.ts';
import { UserError } from '../../files/user-error.ts';
import type { PictureNote } from '../../images/colours.ts';
import { readPicture } from '../../images/image.ts';
import type { Device } from '../../ort/session.ts';
import { startProgress } from '../../process/progress.ts';
import { refuseScene } from '../large-image.ts';
import { type ImageTask, type PredictOptions, predictImage } from '../predict.ts';
import { encodePhrase, openPredictor, type Predictor, type PredictorInputs, predictorInputs } from '../predictor.ts';
import { predictSceneBy, type Tiling } from '../scene/predict-scene.ts';
import type { BatchItem } from './list.ts';

export interface BatchOptions extends Omit<PredictOptions, 'image' | 'text' | 'name'> {
  readonly items: readonly BatchItem[];
  /** How each image is divided; undefined for images that are predicted whole. */
  readonly tiling: Tiling | undefined;
  /** Whether items that an earlier run has predicted are left as they are. */
  readonly resume: boolean;
  /** Whether an image that cannot be predicted is noted, or ends the run. */
  readonly onBad: 'skip' | 'stop';
}

export interface BatchResult {
  readonly model: string;
  readonly device: Device;
  /** Why this device. */
  readonly note: string | undefined;
  /** How many were predicted by this run, were there from an earlier one, and could not be predicted. */
  readonly predicted: number;
  readonly kept: number;
  readonly failed: number;
  /** Phrases with more words than the model takes. */
  readonly truncated: number;
  /** A line of JSON for each prediction, in the order of the items. */
  readonly file: string;
}

const stateName = 'predictions.state.json';
const isState = objectOf({ key: isText });

/**
 * Predicts images and phrases one after the other with one session, each with the files of `predict`, and at the end
 * writes `predictions.jsonl`. Checks phrases and files before the model is built. Throws a UserError.
 */
export async function predictBatch(source: Source, options: BatchOptions): Promise<BatchResult> {
  const { items, out, note, onBad } = options;
  const inputs = await predictorInputs(source, options);
  for (const item of items) await checkItem(source, inputs, item, onBad);
  await makeFolder(out);
  await openState(source, options, inputs);
  const predictor = await openPredictor(source, inputs, options);
  const lines: string[] = [];
  const kinds = new Set<PictureNote['kind']>();
  let [predicted, kept, failed, truncated] = [0, 0, 0, 0];
  const progress = startProgress('predicting', items.length);
  try {
    for (const [i, item] of items.entries()) {
      const earlier = options.resume ? await earlierPrediction(out, item) : undefined;
      if (earlier) {
        kept++;
        lines.push(JSON.stringify(earlier));
      } else {
        const noted = ({ kind, text }: PictureNote) => {
          if (!kinds.has(kind)) note(`${item.image}: ${text} (said for the first such image alone)`);
          kinds.add(kind);
        };
        try {
          const prediction = await predictItem(source, options, { item, inputs, predictor, noted });
          predicted++;
          if (prediction.truncated) truncated++;
          lines.push(JSON.stringify(prediction));
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          if (onBad === 'stop') throw new UserError(`${error.message} (--on-bad skip would go on without it)`);
          failed++;
          note(error.message);
        }
      }
      progress.update(i + 1);
    }
  } finally {
    progress.finish();
    await predictor.release();
  }
  const file = join(out, 'predictions.jsonl');
  await writeFileAtomic(file, lines.map((line) => `${line}\n`).join(''));
  const { device } = predictor;
  return { model: source.graph.name, device, note: predictor.note, predicted, kept, failed, truncated, file };
}

/** Throws a UserError for a missing image and a phrase that does not suit the model. */
async function checkItem(
  source: Source,
  inputs: PredictorInputs,
  { image, text, name }: BatchItem,
  onBad: BatchOptions['onBad'],
): Promise<void> {
  try {
    encodePhrase(source, inputs, text);
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${name}: ${error.message}`) : error;
  }
  if (onBad === 'skip') return;
  await stat(image).catch((error: unknown) => {
    throw fileError('read', image, error);
  });
}

/** Records what the predictions depend on beside the items. Throws a UserError if a run to resume had something else. */
async function openState(source: Source, options: BatchOptions, { text }: PredictorInputs): Promise<void> {
  const { out, colours, tiling, resume } = options;
  const parts = {
    model: await modelIdentity(source, options),
    vocabulary: text && [text.tokenizer.hash, text.tokenizer.truncation, text.words],
    colours,
    tiling: tiling && { ...tiling, resume: false },
  };
  const key = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  const path = join(out, stateName);
  if (resume) {
    const json: unknown = await readText(path, 'record')
      .then(parseJson)
      .catch(() => undefined);
    if (isState(json) && json.key !== key)
      throw new UserError(
        `${out} has predictions with another model, weights or options: give the same ones to continue them, or another folder (-o)`,
      );
    if (!isState(json)) options.note(`${out} has nothing to resume: all images are predicted`);
    else return;
  }
  await writeFileAtomic(path, `${JSON.stringify({ key })}\n`);
}

/** The prediction of an earlier run for the same image and phrase, unless the image has changed since. */
async function earlierPrediction(out: string, { image, text, name }: BatchItem): Promise<object | undefined> {
  const path = join(out, `${name}.json`);
  try {
    const [written, read] = [await stat(path), await stat(image)];
    const json: unknown = parseJson(await readText(path, 'record'));
    const isSame = isObject(json) && json.image === image && json.text === (text ?? null);
    return isSame && read.mtimeMs <= written.mtimeMs ? json : undefined;
  } catch {
    return undefined;
  }
}

interface ItemTask extends Pick<ImageTask, 'noted'> {
  readonly item: BatchItem;
  readonly inputs: PredictorInputs;
  readonly predictor: Predictor;
}

async function predictItem(source: Source, options: BatchOptions, { item, inputs, predictor, noted }: ItemTask) {
  const { tiling, out, colours } = options;
  if (tiling) {
    const task = { ...options, ...item, tiling: { ...tiling, resume: options.resume }, noted };
    return predictSceneBy(source, task, inputs, () => Promise.resolve(predictor));
  }
  await refuseScene(item.image);
  const picture = await readPicture(item.image, colours);
  const phrase = encodePhrase(source, inputs, item.text);
  return predictImage(source, predictor, { ...item, out, picture, phrase, noted });
}
