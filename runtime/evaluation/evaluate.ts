import { loadBatches } from '../data/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import { readMask } from '../data/mask-file.ts';
import type { OnBad } from '../data/problems.ts';
import type { Sample } from '../data/sample.ts';
import { UsageError } from '../files/usage-error.ts';
import { UserError } from '../files/user-error.ts';
import { damaged } from '../images/mask.ts';
import type { Feeds, HostTensor } from '../ort/session.ts';
import { allFinite } from '../tensors/all-finite.ts';
import type { TextInput } from '../text/tokenizer.ts';
import { type ComparisonSize, type Protocol, type ProtocolName, protocols } from './protocols.ts';
import { overlap, type SampleResult, type Scores, scoresBy, scoresOf } from './scores.ts';

/** image f32[B, 3, H, W] and, where the model takes words, tokens i64[B, T] and mask bool[B, T] → logits f32[B, 1, H, W]. */
export type Predictor = (feeds: Feeds) => Promise<HostTensor>;

export interface EvaluationOptions {
  readonly protocol: ProtocolName;
  /** Where masks are compared; the protocol's own when not given. A UserError where the protocol knows none such. */
  readonly at?: ComparisonSize;
  readonly batch: number;
  /** What the model takes. */
  readonly height: number;
  readonly width: number;
  readonly text: TextInput | undefined;
  /** Batches decoded ahead. */
  readonly ahead?: number;
  readonly onBad: OnBad;
  report(problem: string): void;
  /** Every phrase is taken away: what the model knows without being told. */
  readonly blank?: boolean;
  /** At most this many samples, spread evenly over the split; all when not given. */
  readonly limit?: number;
  /** After each sample, in order. */
  onResult?(result: SampleResult): void;
  /** Why the model gave logits for these that are NaN or infinite: a phrase. */
  explain?(feeds: Feeds): Promise<string>;
}

export interface Evaluation extends Scores {
  readonly protocol: ProtocolName;
  readonly at: ComparisonSize;
  /** Samples that could not be read, under `onBad: 'skip'`. */
  readonly skipped: number;
  /** Scores by category, and by attribute and its value; empty where the data name none. The largest group first. */
  readonly byCategory: Readonly<Record<string, Scores>>;
  readonly byAttribute: Readonly<Record<string, Readonly<Record<string, Scores>>>>;
  readonly each: readonly SampleResult[];
}

/**
 * Runs a model over a split and counts what it finds. Areas are whole numbers and sums go in the order of the samples, so
 * that the batch size changes no figure beyond what it changes in the logits.
 */
export async function evaluate(predict: Predictor, dataset: Dataset, options: EvaluationOptions): Promise<Evaluation> {
  const protocol: Protocol = protocols[options.protocol];
  const at = comparisonSize(options);
  const order = spread(dataset.samples.length, options.limit);
  const each: SampleResult[] = [];
  for await (const { sample, prediction, truth } of predictions(predict, dataset, order, options)) {
    const { intersection, union } = overlap(prediction, truth);
    const result = { sample, iou: protocol.iou(intersection, union), intersection, union };
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
  return {
    protocol: options.protocol,
    at,
    ...scoresOf(each, protocol),
    skipped: order.length - each.length,
    byCategory: scoresBy(each, protocol, ({ category }) => category),
    byAttribute,
    each,
  };
}

/** A sample with the masks that are compared, 1 where on, both of `height` × `width`. */
export interface PredictedSample {
  readonly sample: Sample;
  readonly height: number;
  readonly width: number;
  readonly prediction: Uint8Array;
  readonly truth: Uint8Array;
}

/** Predictions for the samples of `order`, in that order, without those that cannot be read. */
export async function* predictions(
  predict: Predictor,
  dataset: Dataset,
  order: readonly number[],
  options: EvaluationOptions,
): AsyncGenerator<PredictedSample, void, undefined> {
  const { batch, height, width, text, ahead = 2, onBad, report, blank = false, explain } = options;
  const protocol: Protocol = protocols[options.protocol];
  const original = comparisonSize(options) === 'original';
  const loading = { batch, height, width, text, ahead, onBad, report, blank };
  const area = height * width;
  for await (const { feeds, samples } of loadBatches(dataset, order, loading)) {
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
        const mask = await readMask(sample.mask);
        const to = [mask.height, mask.width] as const;
        const prediction = protocol.foreground(logits, [height, width], to);
        yield { sample, height: mask.height, width: mask.width, prediction, truth: mask.data };
      } else {
        const truth = Uint8Array.from(target!.data.subarray(i * area, (i + 1) * area) as Float32Array, (v) =>
          v > 0 ? 1 : 0,
        );
        const prediction = protocol.foreground(logits, [height, width], [height, width]);
        yield { sample, height, width, prediction, truth };
      }
    }
  }
}

/** Where masks are compared. Throws a UserError where the protocol does not do what is asked for. */
export function comparisonSize({ protocol, at }: Pick<EvaluationOptions, 'protocol' | 'at'>): ComparisonSize {
  const { sizes }: Protocol = protocols[protocol];
  const size = at ?? sizes[0]!;
  if (!sizes.includes(size))
    throw new UsageError(`the protocol ${protocol} compares masks at the ${sizes[0]} size only`);
  return size;
}

/** `limit` of the numbers below `count`, evenly spread and in order: data sets are sorted, and their start is not typical. */
export function spread(count: number, limit = count): number[] {
  const wanted = Math.min(count, limit);
  return Array.from({ length: wanted }, (_, i) => Math.floor((i * count) / wanted));
}
