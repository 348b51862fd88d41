import { asConstant } from '../../compiler/dims/dim.ts';
import type { Training } from '../../compiler/training/compile-training.ts';
import { type Batch, loadBatches } from '../data/batches.ts';
import { type Dataset, openDataset } from '../data/dataset.ts';
import { openLayout } from '../data/folders.ts';
import { epochSamples } from '../data/order.ts';
import type { OnBad } from '../data/problems.ts';
import { tokenizerFile } from '../data/tokenizer-file.ts';
import { checkBands, referringInputs, refuseVocabulary, wordsOf } from '../referring-model.ts';
import type { Feeds } from '../session.ts';
import type { TextInput } from '../tokenizer.ts';
import { UserError } from '../user-error.ts';
import { type Plan, positionOf } from './plan.ts';

/** What a model takes: sizes of a batch. */
export interface InputSizes {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
}

/** What data sets of images, phrases and masks give, by rank. */
const fed: Readonly<Record<string, number>> = { image: 4, tokens: 2, mask: 2, target: 4 };

/** The batch of a model in training form. Throws a UserError for one that such data sets cannot feed. */
export function batchSize({ forward, recipe }: Training): number {
  for (const { name, value } of forward.inputs) {
    if (fed[name] !== value.type.shape.length) {
      throw new UserError(
        `train feeds image: f32[B, 3, H, W], tokens: i64[B, T], mask: bool[B, T] and target: f32[B, 1, H, W]; ${recipe.model} with recipe ${recipe.name} wants ${name} of ${value.type.shape.length} axes`,
      );
    }
  }
  const image = forward.inputs.find(({ name }) => name === 'image');
  checkBands(recipe.model, image!.value);
  return asConstant(image!.value.type.shape[0]!)!;
}

export interface TrainingDataOptions {
  readonly training: Training;
  readonly dir: string;
  /** The data set's own `vocab.txt` when undefined, or else the aerial vocabulary that ships with crobc. */
  readonly tokenizer: string | undefined;
  readonly onBad: OnBad;
  /** Where sizes of pictures are kept when `dir` cannot be written. */
  readonly cache: string | undefined;
  report(problem: string): void;
}

export interface TrainingData {
  readonly train: Dataset;
  /** Undefined where the data have no `val` split. */
  readonly val: Dataset | undefined;
  readonly sizes: InputSizes;
  /** Undefined where the model takes images alone. */
  readonly text: TextInput | undefined;
  readonly tokenizerFile: string | undefined;
  /** What a run that goes on must find again: the phrases, and how they are taken apart. */
  readonly hashes: { readonly data: string; readonly vocabulary: string };
}

/** Throws a UserError where the data, the tokenizer and the model do not belong together. */
export async function openTrainingData(options: TrainingDataOptions): Promise<TrainingData> {
  const { training, dir, onBad, cache, report } = options;
  const opening = { onBad, report, ...(cache === undefined ? {} : { cache }) };
  const batch = batchSize(training);
  const { splits } = await openLayout(dir);
  const train = await openDataset(dir, 'train', opening);
  const val = splits.includes('val') ? await openDataset(dir, 'val', opening) : undefined;
  const asked = wordsOf(training.inference);
  if (!asked) refuseVocabulary(training.inference, options.tokenizer);
  const vocabulary = asked ? await tokenizerFile(dir, options.tokenizer) : undefined;
  const { text, height, width } = await referringInputs(training.inference, { tokenizer: vocabulary });
  return {
    train,
    val,
    sizes: { batch, height, width },
    text,
    tokenizerFile: vocabulary,
    hashes: { data: `${train.hash} ${val?.hash ?? 'none'}`, vocabulary: text?.tokenizer.hash ?? 'none' },
  };
}

export interface FeedOptions {
  readonly data: TrainingData;
  readonly plan: Plan;
  readonly accumulate: number;
  readonly seed: number;
  readonly augment: boolean;
  readonly blank: boolean;
  readonly onBad: OnBad;
  report(problem: string): void;
}

/** Batches that are decoded while one is trained on. */
const AHEAD = 2;

/** The micro-batches of step `step` (from 1) and every one after it, epoch after epoch, the same whenever it begins. */
export async function* stepBatches(step: number, options: FeedOptions): AsyncGenerator<readonly Feeds[], void> {
  const { plan, accumulate } = options;
  const { epoch: first, offset } = positionOf(step, plan);
  let current = epochBatches(first, offset / options.data.sizes.batch, options);
  try {
    for (let epoch = first, at = (step - 1) % plan.stepsPerEpoch; ; epoch++, at = 0) {
      for (; at < plan.stepsPerEpoch; at++) {
        const batches: Feeds[] = [];
        while (batches.length < accumulate) {
          const next = await current.next();
          if (next.done) throw new Error(`bug in crobc: epoch ${epoch} ended after ${at} steps`);
          batches.push(next.value.feeds);
        }
        yield batches;
      }
      await current.return();
      current = epochBatches(epoch + 1, 0, options);
    }
  } finally {
    await current.return();
  }
}

function epochBatches(epoch: number, start: number, options: FeedOptions): AsyncGenerator<Batch, void, undefined> {
  const { data, seed, augment, blank, onBad, report } = options;
  const { train, text, sizes } = data;
  return loadBatches(train, epochSamples(train, seed, epoch), {
    ...sizes,
    text,
    ahead: AHEAD,
    onBad,
    report,
    blank,
    last: 'drop',
    start,
    augment: augment ? { seed, epoch } : undefined,
  });
}
