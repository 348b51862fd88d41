import type { Origin, Value } from '../../compiler/ir/graph.ts';
import { staticShape } from '../../compiler/ir/shapes.ts';
import type { PortDType, TensorType } from '../../compiler/ir/types.ts';
import type { Training } from '../../compiler/training/compile-training.ts';
import { type Batch, loadBatches } from '../data/batches.ts';
import { type Dataset, openDataset } from '../data/dataset.ts';
import { type Decoder, decodingThreads, openDecoder } from '../data/decoder.ts';
import { openLayout } from '../data/open-layout.ts';
import { epochSamples } from '../data/order.ts';
import type { OnBad } from '../data/problems.ts';
import type { OnSizeMismatch } from '../data/size-mismatch.ts';
import { tokenizerFile } from '../data/tokenizer-file.ts';
import { UserError } from '../files/user-error.ts';
import type { ColourChoice } from '../images/colours.ts';
import type { ArrayPool } from '../ort/array-pool.ts';
import type { Feeds } from '../ort/session.ts';
import { checkBands, referringInputs, wordsOf } from '../predict/referring-model.ts';
import type { TextInput, VocabularyText } from '../text/tokenizer.ts';
import type { Truncation } from '../text/truncation.ts';
import { type Plan, positionOf } from './plan.ts';

/** Sizes of a model's input batch. */
export interface InputSizes {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
}

/** A fixed size, or a named one; equal names are equal sizes. */
type Size = number | 'B' | 'H' | 'W' | 'T';

interface Fed {
  readonly dtype: PortDType;
  readonly shape: readonly Size[];
}

const image: Fed = { dtype: 'f32', shape: ['B', 3, 'H', 'W'] };

/** The inputs that a data set of images, phrases and masks provides. */
const fed: ReadonlyMap<string, Fed> = new Map<string, Fed>([
  ['image', image],
  ['tokens', { dtype: 'i64', shape: ['B', 'T'] }],
  ['mask', { dtype: 'bool', shape: ['B', 'T'] }],
  ['target', { dtype: 'f32', shape: ['B', 1, 'H', 'W'] }],
]);

/**
 * Returns the batch size of a model's training form. Throws a UserError that names the line of the input if the data
 * set cannot provide the inputs of the model or the recipe.
 */
export function batchSize({ forward, recipe }: Training, place: (origin: Origin) => string): number {
  const who = `${recipe.model} with recipe ${recipe.name}`;
  const sizes = new Map<Size, number>();
  const inputs = new Map(forward.inputs.map(({ name, value }) => [name, value]));
  // In this order, so that sizes are bound by the image first.
  for (const [name, type] of fed) {
    const value = inputs.get(name);
    if (!value) continue;
    const at = place(value.node.origin);
    if (type === image && value.type.shape.length === image.shape.length)
      checkBands(recipe.model, value, ` (image is declared at ${at})`);
    if (!fits(type, value.type, sizes))
      throw new UserError(
        `the data give ${name}: ${shown(type, sizes)}, and ${who} takes ${name}: ${shownType(value)} (${at})`,
      );
  }
  for (const [name, value] of inputs) {
    if (fed.has(name)) continue;
    const given = [...fed].map(([one, type]) => `${one}: ${shown(type, new Map())}`).join(', ');
    throw new UserError(
      `${who} takes ${name}: ${shownType(value)} (${place(value.node.origin)}), which the data do not have; they give ${given}`,
    );
  }
  const batch = sizes.get('B');
  if (!inputs.has('image') || batch === undefined)
    throw new UserError(`the data are images, and ${who} has no input image: ${shown(image, sizes)}`);
  return batch;
}

/** Whether a type matches; binds named sizes. */
function fits({ dtype, shape }: Fed, type: TensorType, sizes: Map<Size, number>): boolean {
  const given = staticShape(type);
  if (type.dtype !== dtype || given.length !== shape.length) return false;
  return shape.every((size, axis) => {
    const wanted = typeof size === 'number' ? size : (sizes.get(size) ?? given[axis]);
    if (wanted === undefined || wanted !== given[axis]) return false;
    sizes.set(size, wanted);
    return true;
  });
}

function shown({ dtype, shape }: Fed, sizes: ReadonlyMap<Size, number>): string {
  return `${dtype}[${shape.map((size) => sizes.get(size) ?? size).join(', ')}]`;
}

function shownType({ type }: Value): string {
  return `${type.dtype}[${staticShape(type).join(', ')}]`;
}

export interface TrainingDataOptions {
  readonly training: Training;
  /** Returns the source position of an input. */
  readonly place: (origin: Origin) => string;
  readonly dir: string;
  /**
   * A file, or the vocabulary of the weights to start from. If undefined, the data set's own `vocab.txt` is used, or
   * else the aerial vocabulary that ships with crobc.
   */
  readonly tokenizer: string | VocabularyText | undefined;
  readonly truncation: Truncation | undefined;
  readonly onBad: OnBad;
  readonly onSizeMismatch: OnSizeMismatch | undefined;
  /** How bands become colours. */
  readonly colours: ColourChoice;
  /** Folder for cached image sizes if `dir` is not writable. */
  readonly cache: string | undefined;
  report(problem: string): void;
}

export interface TrainingData {
  readonly train: Dataset;
  /** Undefined if there is no `val` split. */
  readonly val: Dataset | undefined;
  readonly sizes: InputSizes;
  /** Undefined if the model reads only images. */
  readonly text: TextInput | undefined;
  /** A resumed run must find the same phrases and the same vocabulary. */
  readonly hashes: { readonly data: string; readonly vocabulary: string };
}

/** Opens the data set and its vocabulary. Throws a UserError if they do not fit each other or the model. */
export async function openTrainingData(options: TrainingDataOptions): Promise<TrainingData> {
  const { training, dir, onBad, onSizeMismatch, colours, cache, report } = options;
  const batch = batchSize(training, options.place);
  const layout = await openLayout(dir);
  const opening = { onBad, onSizeMismatch, colours, report, layout, ...(cache === undefined ? {} : { cache }) };
  const train = await openDataset(dir, 'train', opening);
  const val = layout.splits.includes('val')
    ? await openDataset(dir, 'val', { ...opening, noted: train.noted })
    : undefined;
  const asked = wordsOf(training.inference);
  const tokenizer = asked ? (options.tokenizer ?? (await tokenizerFile(dir))) : undefined;
  const { text, height, width } = await referringInputs(training.inference, {
    tokenizer,
    truncation: options.truncation,
  });
  return {
    train,
    val,
    sizes: { batch, height, width },
    text,
    hashes: { data: `${train.hash} ${val?.hash ?? 'none'}${shownColours(colours)}`, vocabulary: vocabularyHash(text) },
  };
}

/** Other colours are other data; the default adds nothing, so that older checkpoints can be continued. */
function shownColours(colours: ColourChoice): string {
  return Object.keys(colours).length === 0 ? '' : ` ${JSON.stringify(colours)}`;
}

/** What ids a phrase has: the vocabulary, and how it is truncated. */
function vocabularyHash(text: TextInput | undefined): string {
  if (!text) return 'none';
  const { hash, truncation } = text.tokenizer;
  return truncation === 'keep-sep' ? hash : `${hash} ${truncation}`;
}

export interface FeedOptions {
  readonly data: TrainingData;
  readonly plan: Plan;
  readonly accumulate: number;
  readonly seed: number;
  readonly augment: boolean;
  readonly blank: boolean;
  readonly onBad: OnBad;
  readonly decodeThreads: number | undefined;
  /** Where the arrays of feeds are from. */
  readonly pool?: ArrayPool | undefined;
  report(problem: string): void;
}

/** Number of batches to decode in advance, if a step has no more micro-batches: those of the next step are decoded during a step. */
const AHEAD = 2;

/**
 * Yields the micro-batches of step `step` (from 1) and all later ones, over all epochs.
 * They do not depend on the first step. Whoever asks for the next step is done with the last one, whose arrays are then
 * used again. Whoever leaves, such as for an error, may keep them.
 */
export async function* stepBatches(step: number, options: FeedOptions): AsyncGenerator<readonly Feeds[], void> {
  const { plan, accumulate } = options;
  const { epoch: first, offset } = positionOf(step, plan);
  // One for all epochs: to start a thread takes as long as to decode ten images.
  const decoder = await openDecoder(options.decodeThreads ?? decodingThreads());
  let current = epochBatches(first, offset / options.data.sizes.batch, decoder, options);
  try {
    for (let epoch = first, at = (step - 1) % plan.stepsPerEpoch; ; epoch++, at = 0) {
      for (; at < plan.stepsPerEpoch; at++) {
        const batches: Batch[] = [];
        while (batches.length < accumulate) {
          const next = await current.next();
          if (next.done) throw new Error(`bug in crobc: epoch ${epoch} ended after ${at} steps`);
          batches.push(next.value);
        }
        yield batches.map(({ feeds }) => feeds);
        for (const batch of batches) batch.release();
      }
      await current.return();
      current = epochBatches(epoch + 1, 0, decoder, options);
    }
  } finally {
    await current.return();
    await decoder.close();
  }
}

function epochBatches(
  epoch: number,
  start: number,
  decoder: Decoder,
  options: FeedOptions,
): AsyncGenerator<Batch, void, undefined> {
  const { data, accumulate, seed, augment, blank, onBad, pool, report } = options;
  const { train, text, sizes } = data;
  return loadBatches(train, epochSamples(train, seed, epoch), {
    ...sizes,
    text,
    ahead: Math.max(AHEAD, accumulate),
    onBad,
    report,
    blank,
    last: 'drop',
    start,
    decoder,
    pool,
    augment: augment ? { seed, epoch } : undefined,
  });
}
