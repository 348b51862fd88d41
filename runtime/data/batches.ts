import { setImmediate as turn } from 'node:timers/promises';
import { UserError } from '../files/user-error.ts';
import { type ArrayPool, type NewArray, newArray } from '../ort/array-pool.ts';
import type { HostTensor } from '../ort/session.ts';
import type { EncodedText, TextInput } from '../text/tokenizer.ts';
import { type Dataset, reportNotes } from './dataset.ts';
import type { DecodedSample } from './decode.ts';
import { type Decoder, decodingThreads, openDecoder } from './decoder.ts';
import { isMirrored, mirrorPhrase } from './mirror.ts';
import { type OnBad, Problems } from './problems.ts';
import type { Sample } from './sample.ts';

/** Tensors by the names of a model's inputs. */
export type Feeds = Readonly<Record<string, HostTensor>>;

export interface Batch {
  /**
   * image f32[B, 3, H, W]; tokens i64[B, T] and mask bool[B, T] if the model reads
   * words; target f32[B, 1, H, W] of 0 and 1.
   */
  readonly feeds: Feeds;
  /** The samples without repetitions, in the order of the tensors; fewer than B only with `pad`. */
  readonly samples: readonly Sample[];
  /**
   * Gives the arrays of `feeds` back to `BatchOptions.pool`: later batches overwrite them. To be called only when no run
   * reads them any more; does nothing the second time.
   */
  release(): void;
}

export interface BatchOptions {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  /** How to encode phrases; undefined for a model that reads only images. */
  readonly text: TextInput | undefined;
  /** Number of batches to prepare in advance; it bounds the memory. */
  readonly ahead: number;
  readonly onBad: OnBad;
  report(problem: string): void;
  /** Replaces every phrase by [CLS] [SEP]. */
  readonly blank?: boolean;
  /**
   * How an incomplete last batch is handled. `pad` (default, for evaluation) repeats its first sample; `samples` holds
   * only the real ones. For training, `wrap` continues at the start of the order, and `drop` omits the batch.
   */
  readonly last?: 'pad' | 'wrap' | 'drop';
  /** Index of the first batch (default 0), for resumed runs: the batches are the same as those of an unbroken run. */
  readonly start?: number;
  /**
   * Mirrors half of the samples and swaps words such as left and right; the
   * choice depends only on seed, epoch and line.
   */
  readonly augment?: { readonly seed: number; readonly epoch: number } | undefined;
  /** Number of decoding threads; with 0, this thread decodes. */
  readonly threads?: number | undefined;
  /** A decoder that outlives these batches, so that its threads need not start again; else one of `threads` is opened. */
  readonly decoder?: Decoder;
  /** Where the arrays of feeds are from, and are given back by `release`; by default, they are new ones. */
  readonly pool?: ArrayPool | undefined;
}

/** Returns the number of batches that `loadBatches` yields for `samples` samples. */
export function batchCount(samples: number, batch: number, last: 'pad' | 'wrap' | 'drop'): number {
  return last === 'drop' ? Math.floor(samples / batch) : Math.ceil(samples / batch);
}

/**
 * Yields the batches of `order` (indices of samples) in that order; images are decoded in advance on other threads. If
 * an image cannot be decoded with `onBad: 'skip'`, its sample is added to `dataset.undecodable`. `pad` then omits the
 * sample (and a batch without other samples); `wrap` and `drop` use the next good sample of the order instead, so that
 * the other samples and the number of batches do not change. Throws a UserError that names the file and the line of the
 * phrase. Leaving the loop early stops the threads, unless they are those of `decoder`, and releases the batches that were
 * not yielded.
 */
export async function* loadBatches(
  dataset: Dataset,
  order: ArrayLike<number>,
  options: BatchOptions,
): AsyncGenerator<Batch, void, undefined> {
  const { batch, last = 'pad', start = 0, ahead, threads = decodingThreads() } = options;
  const count = batchCount(order.length, batch, last);
  if (count === 0) throw new UserError(`${order.length} samples are fewer than a batch of ${batch}`);
  const problems = new Problems(options.onBad, (problem) => options.report(problem));
  const decoder = options.decoder ?? (await openDecoder(threads));
  const source = new SampleSource(dataset, order, options, problems, decoder);
  const queue: Promise<Batch | undefined>[] = [];
  try {
    let next = start;
    for (let at = start; at < count; at++) {
      for (; next < count && queue.length <= ahead; next++) queue.push(source.batch(next));
      const loaded = await queue.shift()!;
      if (loaded) yield loaded;
    }
    problems.finish();
  } finally {
    source.close();
    for (const one of queue)
      one.then(
        (loaded) => loaded?.release(),
        () => undefined,
      );
    if (decoder !== options.decoder) await decoder.close();
  }
}

/** A sample that is decoded and encoded for a batch. */
interface ReadySample {
  readonly sample: Sample;
  readonly encoded: EncodedText | undefined;
  readonly decoded: DecodedSample;
}
type Slot = ReadySample | undefined;

class SampleSource {
  readonly #dataset: Dataset;
  readonly #order: ArrayLike<number>;
  readonly #options: BatchOptions;
  readonly #problems: Problems;
  readonly #decoder: Decoder;
  readonly #bad: Set<number>;
  readonly #blank: EncodedText | undefined;
  #closed = false;

  constructor(dataset: Dataset, order: ArrayLike<number>, options: BatchOptions, problems: Problems, decoder: Decoder) {
    this.#dataset = dataset;
    this.#order = order;
    this.#options = options;
    this.#problems = problems;
    this.#decoder = decoder;
    this.#bad = dataset.undecodable;
    this.#blank = options.blank && options.text ? blankPhrase(options.text) : undefined;
  }

  /**
   * Loads a batch, which is put together as soon as its samples are there: a device runs the last one meanwhile. Gives
   * undefined if there is no good sample, or once closed. If the promise rejects before it is awaited, the rejection is
   * not unhandled.
   */
  batch(index: number): Promise<Batch | undefined> {
    const loaded = this.#slots(index).then((all) => {
      const slots = all.filter((slot) => slot !== undefined);
      return slots.length === 0 ? undefined : this.#assemble(slots);
    });
    loaded.catch(() => undefined);
    return loaded;
  }

  /** Ends all work on batches, which nobody waits for. */
  close(): void {
    this.#closed = true;
  }

  /** Puts a batch together, in arrays that are taken only now that all samples are decoded. */
  async #assemble(slots: readonly ReadySample[]): Promise<Batch | undefined> {
    const { batch, height, width, text, pool } = this.#options;
    let taken: HostTensor[] = [];
    const array: NewArray = (type) => {
      if (!pool) return newArray(type);
      const tensor = pool.take(type);
      taken.push(tensor);
      return tensor;
    };
    const release = () => {
      pool?.giveBack(taken);
      taken = [];
    };
    const filled = Array.from({ length: batch }, (_, i) => slots[i] ?? slots[0]!);
    try {
      if (this.#closed) return undefined;
      const image = array({ dtype: 'f32', shape: [batch, 3, height, width] });
      const target = array({ dtype: 'f32', shape: [batch, 1, height, width] });
      for (const [i, { decoded }] of filled.entries()) {
        // An image takes a millisecond, in which this thread does not see that a device waits for its next run.
        if (pool && i > 0) await turn();
        if (this.#closed) {
          release();
          return undefined;
        }
        (image.data as Float32Array).set(decoded.image, i * decoded.image.length);
        (target.data as Float32Array).set(decoded.target, i * decoded.target.length);
      }
      const feeds = { image, ...(text ? wordFeeds(filled, text, array) : {}), target };
      return { feeds, samples: slots.map(({ sample }) => sample), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #slots(index: number): Promise<Slot[]> {
    const { batch, last = 'pad' } = this.#options;
    const from = index * batch;
    const end = last === 'pad' ? Math.min(from + batch, this.#order.length) : from + batch;
    const places = Array.from({ length: end - from }, (_, i) => from + i);
    return Promise.all(places.map((place) => (last === 'pad' ? this.#at(place) : this.#nextGood(place))));
  }

  /** The sample at a place of the order; if it is bad, the next good one. */
  async #nextGood(place: number): Promise<Slot> {
    for (let step = 0; step < this.#order.length; step++) {
      const slot = await this.#at(place + step);
      if (slot) return slot;
    }
    throw new UserError(`${this.#dataset.dir} has no sample that can be used`);
  }

  /** The sample at a place of the order; undefined if it is bad and skipped. */
  async #at(place: number): Promise<Slot> {
    const index = this.#order[place % this.#order.length]!;
    const sample = this.#dataset.samples[index];
    if (!sample) throw new Error(`bug in crobc: no sample ${index} among ${this.#dataset.samples.length}`);
    if (this.#bad.has(index)) return undefined;
    const { text, height, width, augment } = this.#options;
    const { image, mask, phrase, file, line } = sample;
    // Decided by the line, which does not change when other samples are skipped.
    const mirror = augment && isMirrored(line - 1, augment.seed, augment.epoch) ? mirrorPhrase(phrase) : undefined;
    try {
      const encoded = this.#blank ?? text?.tokenizer.encode(mirror ?? phrase, text.words);
      const { resized, colours } = this.#dataset;
      const request = { image, mask, height, width, mirrored: mirror !== undefined, resized, colours };
      const decoded = await this.#decoder.decode(request);
      reportNotes(this.#dataset, image, decoded.notes, this.#options.report);
      return { sample, encoded, decoded };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (!this.#bad.has(index)) this.#problems.add({ file, line, text: error.message });
      this.#bad.add(index);
      return undefined;
    }
  }
}

/** The encoding of an empty phrase: [CLS] [SEP] and padding. */
function blankPhrase({ tokenizer, words }: TextInput): EncodedText {
  const { ids } = tokenizer.encode('a', Math.max(4, words));
  const [cls, sep, pad] = [ids[0]!, ids[2]!, ids[3]!];
  const mask = new Uint8Array(words).fill(1, 0, 2);
  return { ids: Array.from({ length: words }, (_, i) => [cls, sep][i] ?? pad), mask, tokens: [], truncated: false };
}

function wordFeeds(slots: readonly ReadySample[], { words }: TextInput, array: NewArray): Feeds {
  const shape = [slots.length, words];
  const tokens = array({ dtype: 'i64', shape });
  const mask = array({ dtype: 'bool', shape });
  for (const [i, { encoded }] of slots.entries()) {
    if (!encoded) throw new Error('bug in crobc: a phrase that was not encoded');
    (mask.data as Uint8Array).set(encoded.mask, i * words);
    (tokens.data as BigInt64Array).set(
      encoded.ids.map((id) => BigInt(id)),
      i * words,
    );
  }
  return { tokens, mask };
}
