import { UserError } from '../files/user-error.ts';
import { requireDeviceFor } from '../ort/half-device.ts';
import type { Device, Feeds, HostTensor } from '../ort/session.ts';
import { surroundings } from '../process/surroundings.ts';
import { ThreadPool } from '../process/thread-pool.ts';
import { Batcher } from './batcher.ts';
import { checkInputs } from './input-check.ts';
import { Metrics } from './metrics.ts';
import { type ModelRun, type ModelThread, openModelThread } from './model-thread.ts';
import type { Finished, MaskForm, PictureAnswer, PictureRequest, Prepared } from './picture.ts';
import { RequestFault } from './request-fault.ts';
import { type Batching, batchDim, batchingOf } from './row-independence.ts';
import type { PictureModel, ServedModel } from './served-model.ts';

export interface ServiceOptions {
  readonly device: Device | 'auto';
  readonly threads: number | undefined;
  /** Whether CUDA may round factors of products in f32 (default true). */
  readonly tf32?: boolean;
  /** Threads that decode and encode pictures. */
  readonly pictureThreads: number;
  /** Undefined for what pays on the device. */
  readonly maxBatch: number | undefined;
  /** Milliseconds. */
  readonly maxDelay: number;
  /** Most pixels of a picture, checked before it is decoded. */
  readonly maxPixels: number;
  /** Most requests that are accepted and not yet answered. */
  readonly maxPending: number;
}

/** A picture and a phrase, as a client has sent them. */
export interface PictureQuestion {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly text: string | undefined;
  readonly form: MaskForm;
}

/** A model that answers requests: one run at a time, for as many requests as fit. Must be closed. */
export interface Service {
  readonly model: ServedModel;
  readonly device: Device;
  /** Why this device, if the user did not choose it. */
  readonly note: string | undefined;
  /** Most rows of one run, and why only one if there is a reason. */
  readonly maxBatch: number;
  readonly single: string | undefined;
  readonly metrics: Metrics;
  readonly waiting: number;
  readonly pending: number;
  readonly maxPending: number;
  /** Settles if a thread ends by itself, after which nothing can be answered. */
  readonly lost: Promise<Error>;
  /** Runs the model on tensors. Throws a RequestFault. */
  infer(feeds: Feeds, signal: AbortSignal): Promise<ModelRun>;
  /** Answers a question with a mask. Throws a RequestFault. */
  predict(question: PictureQuestion, signal: AbortSignal): Promise<Finished>;
  close(): Promise<void>;
}

/** Opens a model on threads of its own, and runs it once. Throws a UserError if it cannot be opened. */
export async function openService(model: ServedModel, options: ServiceOptions): Promise<Service> {
  const { onnx, record, pictures: ports } = model;
  let lose: (error: Error) => void = () => {};
  const lost = new Promise<Error>((resolve) => {
    lose = resolve;
  });
  const { device, threads, tf32 = true } = options;
  await requireDeviceFor(record.dtype, device);
  const thread = await openModelThread({ onnx, device, threads, tf32, half: record.dtype === 'f16' }, lose);
  const wanted = record.outputs.map(({ name }) => name);
  let batching: Batching;
  try {
    batching = await batchingFor(model, { maxBatch: options.maxBatch, device: thread.device }, (feeds) =>
      thread.run(feeds, wanted),
    );
  } catch (error) {
    await thread.release();
    throw error;
  }
  const pool =
    ports.kind === 'pictures'
      ? new ThreadPool<PictureRequest, PictureAnswer>('picture-worker', {
          threads: options.pictureThreads,
          onLost: lose,
        })
      : undefined;
  return new OpenService(model, options, { thread, pool, batching, lost });
}

/** Most rows of a run on GPUs, and of a client's own batch. */
const usualBatch = 8;

/**
 * Decides whether requests are joined. On the CPU, a batch of eight takes eight times as long as one image, or longer, so
 * that joining makes everyone wait for the last; there, it is only done if it is asked for.
 */
async function batchingFor(
  { record }: ServedModel,
  { maxBatch, device }: { readonly maxBatch: number | undefined; readonly device: Device },
  run: (feeds: Feeds) => Promise<ModelRun>,
): Promise<Batching> {
  const most = maxBatch ?? (device === 'cpu' ? 1 : usualBatch);
  return most > 1 ? batchingOf(record, run) : { kind: 'single', reason: undefined };
}

interface Parts {
  readonly thread: ModelThread;
  readonly pool: ThreadPool<PictureRequest, PictureAnswer> | undefined;
  readonly batching: Batching;
  readonly lost: Promise<Error>;
}

class OpenService implements Service {
  readonly model: ServedModel;
  readonly metrics: Metrics;
  readonly lost: Promise<Error>;
  readonly #options: ServiceOptions;
  readonly #parts: Parts;
  readonly #batcher: Batcher;
  #pending = 0;
  /** Duration of the last run in milliseconds. */
  #lastRun = 0;

  constructor(model: ServedModel, options: ServiceOptions, parts: Parts) {
    this.model = model;
    this.metrics = new Metrics(model.record.model);
    this.lost = parts.lost;
    this.#options = options;
    this.#parts = parts;
    const wanted = model.record.outputs.map(({ name }) => name);
    const { now } = surroundings();
    this.#batcher = new Batcher({
      maxBatch: this.maxBatch,
      maxDelay: options.maxDelay,
      run: (feeds) => parts.thread.run(feeds, wanted),
      ran: (rows, milliseconds) => {
        this.#lastRun = milliseconds;
        this.metrics.run(rows, milliseconds);
      },
      now,
    });
  }

  get device(): Device {
    return this.#parts.thread.device;
  }

  get note(): string | undefined {
    return this.#parts.thread.note;
  }

  get maxBatch(): number {
    return this.#parts.batching.kind === 'rows' ? this.#mostRows : 1;
  }

  get single(): string | undefined {
    const { batching } = this.#parts;
    return batching.kind === 'single' ? batching.reason : undefined;
  }

  /** Most rows of a client's own batch. */
  get #mostRows(): number {
    return this.#options.maxBatch ?? usualBatch;
  }

  get waiting(): number {
    return this.#batcher.waiting;
  }

  get maxPending(): number {
    return this.#options.maxPending;
  }

  get pending(): number {
    return this.#pending;
  }

  infer(feeds: Feeds, signal: AbortSignal): Promise<ModelRun> {
    return this.#accepted(signal, () => {
      checkInputs(this.model.record, feeds);
      const rows = Object.values(feeds)[0]?.shape[0] ?? 1;
      if (batchDim(this.model.record) !== undefined && rows > this.#mostRows)
        throw new RequestFault(400, `a batch of ${rows} is more than ${this.#mostRows}, the most of this server`);
      return this.#run(feeds, rows, signal);
    });
  }

  predict(question: PictureQuestion, signal: AbortSignal): Promise<Finished> {
    return this.#accepted(signal, () => this.#mask(question, signal));
  }

  async close(): Promise<void> {
    await Promise.all([this.#parts.pool?.close(), this.#parts.thread.release()]);
  }

  async #mask({ bytes, text, form }: PictureQuestion, signal: AbortSignal): Promise<Finished> {
    const { pictures: ports, record } = this.model;
    const { pool } = this.#parts;
    if (ports.kind === 'none' || !pool) throw new RequestFault(404, 'this model takes tensors alone');
    const phrase = encoded(ports, record.model, text);
    const { height, width } = ports;
    const asked = {
      kind: 'prepare',
      bytes,
      height,
      width,
      maxPixels: this.#options.maxPixels,
      keep: form === 'overlay',
    };
    const prepared = await asClientFault(pool.run(asked as PictureRequest, [bytes.buffer]));
    if (prepared.kind !== 'prepared') throw new Error('bug in crobc: a picture that was not prepared');
    signal.throwIfAborted();
    const feeds: Record<string, HostTensor> = {
      [ports.image]: { dtype: 'f32', shape: [1, 3, height, width], data: prepared.tensor },
    };
    if (phrase && ports.words) {
      const shape = [1, phrase.ids.length];
      feeds[ports.words.tokens] = { dtype: 'i64', shape, data: BigInt64Array.from(phrase.ids, BigInt) };
      feeds[ports.words.mask] = { dtype: 'bool', shape, data: phrase.mask };
    }
    const run = await this.#run(feeds, 1, signal);
    return this.#finished(ports.logits, prepared, run, {
      form,
      text: text ?? null,
      about: {
        model: record.model,
        text: text ?? null,
        tokens: phrase?.tokens ?? [],
        truncated: phrase?.truncated ?? false,
        assumed: prepared.assumed,
        milliseconds: Math.round(run.milliseconds * 10) / 10,
        device: this.device,
      },
    });
  }

  async #finished(
    output: string,
    { height, width, image }: Prepared,
    { outputs }: ModelRun,
    rest: { readonly form: MaskForm; readonly text: string | null; readonly about: Readonly<Record<string, unknown>> },
  ): Promise<Finished> {
    const logits = outputs[output];
    const [, , rows = 0, columns = 0] = logits?.shape ?? [];
    if (!(logits?.data instanceof Float32Array)) throw new Error('bug in crobc: logits that are not float32');
    const finished = await this.#parts.pool?.run({
      kind: 'finish',
      logits: logits.data,
      size: [rows, columns],
      picture: [height, width],
      image,
      ...rest,
    });
    if (finished?.kind !== 'finished') throw new Error('bug in crobc: a mask that was not finished');
    return finished;
  }

  #run(feeds: Feeds, rows: number, signal: AbortSignal): Promise<ModelRun> {
    return this.#batcher.submit(feeds, rows, signal);
  }

  /** Counts a request as pending while it is worked on, unless there are too many. Ends at the signal. */
  async #accepted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#pending >= this.#options.maxPending)
      throw new RequestFault(429, `${this.#pending} requests are waiting, the most of this server`, this.#patience());
    this.#pending++;
    try {
      return await Promise.race([work(), aborted(signal)]);
    } finally {
      this.#pending--;
    }
  }

  /** Seconds after which half of the requests that wait now are answered, by the duration of the last run. */
  #patience(): number {
    const runs = Math.ceil(this.#pending / 2 / this.maxBatch);
    return Math.max(1, Math.ceil((runs * this.#lastRun) / 1000));
  }
}

/** Rejects with the reason of a signal. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

/** What cannot be read is the fault of who sent it. */
async function asClientFault<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new RequestFault(error.message.includes('over the limit of') ? 413 : 400, error.message);
  }
}

/** The most characters of a phrase. No model reads a tenth of it. */
const longestText = 4096;

function encoded(ports: Extract<PictureModel, { readonly kind: 'pictures' }>, model: string, text: string | undefined) {
  const { words } = ports;
  if (!words) {
    if (text !== undefined) throw new RequestFault(400, `${model} takes an image alone: leave "text" out`);
    return undefined;
  }
  if (text === undefined) throw new RequestFault(400, `${model} takes words: "text" says what to find`);
  if (text.length > longestText)
    throw new RequestFault(400, `"text" has ${text.length} characters, and at most ${longestText} are taken`);
  try {
    return words.text.tokenizer.encode(text, words.text.words);
  } catch (error) {
    throw error instanceof UserError ? new RequestFault(400, error.message) : error;
  }
}
