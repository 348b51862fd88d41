import { loadBatches } from '../data/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import { headerSize } from '../data/image-sizes.ts';
import { readMask } from '../data/mask-source.ts';
import type { OnBad } from '../data/problems.ts';
import type { Sample } from '../data/sample.ts';
import { UsageError } from '../files/usage-error.ts';
import { UserError } from '../files/user-error.ts';
import { damaged } from '../images/mask.ts';
import type { Pixels } from '../images/resize.ts';
import type { ArrayPool } from '../ort/array-pool.ts';
import type { Feeds, HostTensor } from '../ort/session.ts';
import { allFinite } from '../tensors/all-finite.ts';
import type { TextInput } from '../text/tokenizer.ts';
import { type ComparisonSize, type Protocol, type ProtocolName, protocols } from './protocols.ts';
import type { Size } from './resample.ts';
import {
  type ClassMeans,
  classMeans,
  hasTarget,
  overlap,
  type SampleResult,
  type Scores,
  scoresBy,
  scoresOf,
} from './scores.ts';

/**
 * image f32[B, 3, H, W] and, if the model reads words, tokens i64[B, T] and mask bool[B, T] → logits f32[B, 1, H, W].
 */
export type Predictor = (feeds: Feeds) => Promise<HostTensor>;

export interface EvaluationOptions {
  readonly protocol: ProtocolName;
  /**
   * The size at which masks are compared; default: the protocol's. A UsageError if the protocol does not support it.
   */
  readonly at?: ComparisonSize;
  readonly batch: number;
  /** Size of the model's input. */
  readonly height: number;
  readonly width: number;
  readonly text: TextInput | undefined;
  /** Number of batches to decode in advance. */
  readonly ahead?: number;
  /** Number of threads that decode; by default, as many as there are cores but one, 16 at most. */
  readonly decodeThreads?: number | undefined;
  /** Where the arrays of feeds are from. */
  readonly pool?: ArrayPool | undefined;
  readonly onBad: OnBad;
  report(problem: string): void;
  /** Replaces every phrase by an empty one, to measure what the model predicts from the image alone. */
  readonly blank?: boolean;
  /** Maximum number of samples, spread evenly over the split; default: all. */
  readonly limit?: number;
  /** Called after each sample, in order. */
  onResult?(result: SampleResult): void;
  /** Returns why the model's logits for these feeds are NaN or infinite, as a phrase. */
  explain?(feeds: Feeds): Promise<string>;
}

export interface Evaluation extends Scores {
  readonly protocol: ProtocolName;
  readonly at: ComparisonSize;
  /** Number of samples that could not be read, with `onBad: 'skip'`. */
  readonly skipped: number;
  /** Scores by category, and by attribute and value; the largest group first. Empty if the data set has none. */
  readonly byCategory: Readonly<Record<string, Scores>>;
  /** Means of the scores of the categories; absent if the data set has none. */
  readonly classMeans?: ClassMeans;
  readonly byAttribute: Readonly<Record<string, Readonly<Record<string, Scores>>>>;
  readonly each: readonly SampleResult[];
}

/**
 * Runs a model over a split and computes its scores. Areas are integers, and sums are in the order of the samples, so
 * the batch size affects scores only through its effect on the logits.
 */
export async function evaluate(predict: Predictor, dataset: Dataset, options: EvaluationOptions): Promise<Evaluation> {
  const protocol: Protocol = protocols[options.protocol];
  const at = comparisonSize(options);
  const order = spread(dataset.samples.length, options.limit);
  const each: SampleResult[] = [];
  for await (const { sample, prediction, truth } of predictions(predict, dataset, order, options)) {
    const areas = overlap(prediction, truth);
    const result = { sample, iou: protocol.iou(areas.intersection, areas.union, hasTarget(sample)), ...areas };
    each.push(result);
    options.onResult?.(result);
  }
  if (each.length === 0) throw new UserError(`no sample of ${dataset.dir} could be read`);
  const attributes = new Set(each.flatMap(({ sample }) => Object.keys(sample.attributes ?? {})));
  const byAttribute: Record<string, Readonly<Record<string, Scores>>> = Object.create(null);
  for (const name of attributes) {
    byAttribute[name] = scoresBy(each, protocol, ({ attributes: of }) =>
      of !== undefined && Object.hasOwn(of, name) ? of[name] : undefined,
    );
  }
  const byCategory = scoresBy(each, protocol, ({ category }) => category);
  const means = classMeans(byCategory);
  return {
    protocol: options.protocol,
    at,
    ...scoresOf(each, protocol),
    skipped: order.length - each.length,
    byCategory,
    ...(means ? { classMeans: means } : {}),
    byAttribute,
    each,
  };
}

/** A sample with the two masks to compare (1 is on), both `height` × `width`. */
export interface PredictedSample {
  readonly sample: Sample;
  readonly height: number;
  readonly width: number;
  readonly prediction: Uint8Array;
  readonly truth: Uint8Array;
}

/** Yields predictions for the samples of `order` in that order, without unreadable ones. */
export async function* predictions(
  predict: Predictor,
  dataset: Dataset,
  order: readonly number[],
  options: EvaluationOptions,
): AsyncGenerator<PredictedSample, void, undefined> {
  const { batch, height, width, text, ahead = 2, onBad, report, blank = false, pool, explain } = options;
  const protocol: Protocol = protocols[options.protocol];
  const original = comparisonSize(options) === 'original';
  const loading = { batch, height, width, text, ahead, onBad, report, blank, pool, threads: options.decodeThreads };
  const area = height * width;
  for await (const { feeds, samples, release } of loadBatches(dataset, order, loading)) {
    const { target, ...inputs } = feeds;
    const { data, shape } = await predict(inputs);
    if (!(data instanceof Float32Array) || shape.join() !== [batch, 1, height, width].join()) {
      throw new UserError(
        `the model gave [${shape.join(', ')}], and logits of images are [${[batch, 1, height, width].join(', ')}]`,
      );
    }
    for (const [i, sample] of samples.entries()) {
      const logits = data.subarray(i * area, (i + 1) * area);
      if (!allFinite(logits)) {
        const why = explain ? await explain(inputs) : damaged;
        throw new UserError(`${sample.file}:${sample.line}: the model gave logits that are not numbers: ${why}`);
      }
      if (original) {
        const mask = await originalMask(sample);
        const prediction = foreground(protocol, logits, [height, width], [mask.height, mask.width]);
        yield { sample, height: mask.height, width: mask.width, prediction, truth: mask.data };
      } else {
        const truth = Uint8Array.from(target!.data.subarray(i * area, (i + 1) * area) as Float32Array, (v) =>
          v > 0 ? 1 : 0,
        );
        const prediction = foreground(protocol, logits, [height, width], [height, width]);
        yield { sample, height, width, prediction, truth };
      }
    }
    // Not after an error, which may have arrays of the feeds as evidence.
    release();
  }
}

/** The mask of a prediction; an empty one if it has fewer pixels than the protocol counts. */
function foreground(protocol: Protocol, logits: Float32Array, from: Size, to: Size): Uint8Array {
  const mask = protocol.foreground(logits, from, to);
  let pixels = 0;
  for (const v of mask) pixels += v;
  return pixels < protocol.leastPixels ? mask.fill(0) : mask;
}

/** The mask in its own size; without a target, an empty one of the image's size. */
async function originalMask({ image, mask }: Sample): Promise<Pick<Pixels, 'width' | 'height' | 'data'>> {
  const read = await readMask(mask);
  if (read !== undefined) return read.mask;
  const [width, height] = await headerSize(image);
  return { width, height, data: new Uint8Array(width * height) };
}

/**
 * Returns the size at which masks are compared. Throws a UsageError if the protocol does not support the requested one.
 */
export function comparisonSize({ protocol, at }: Pick<EvaluationOptions, 'protocol' | 'at'>): ComparisonSize {
  const { sizes }: Protocol = protocols[protocol];
  const size = at ?? sizes[0]!;
  if (!sizes.includes(size))
    throw new UsageError(`the protocol ${protocol} compares masks at the ${sizes.join(' or the ')} size only`);
  return size;
}

/**
 * Returns `limit` evenly spaced integers below `count`, ascending: data sets are sorted, so their start is not typical.
 */
export function spread(count: number, limit = count): number[] {
  const wanted = Math.min(count, limit);
  return Array.from({ length: wanted }, (_, i) => Math.floor((i * count) / wanted));
}
