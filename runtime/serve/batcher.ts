import type { Feeds } from '../ort/session.ts';
import { joined, joinKey, rowsOf } from './joined-feeds.ts';
import type { ModelRun, Tensors } from './model-thread.ts';

export interface BatcherOptions {
  /** Most rows of one run; 1 for a model whose rows must not be joined. */
  readonly maxBatch: number;
  /** For how many milliseconds a run waits for further requests, if it is not full. */
  readonly maxDelay: number;
  run(feeds: Feeds): Promise<ModelRun>;
  /** Called after each run. */
  ran(rows: number, milliseconds: number): void;
  now(): number;
}

interface Job {
  readonly feeds: Feeds;
  readonly rows: number;
  readonly key: string;
  readonly since: number;
  resolve(run: ModelRun): void;
  reject(error: unknown): void;
}

/**
 * Runs a model for requests in the order in which they came. While one run lasts, requests wait; the next run takes the
 * first of them, and as many others of the same sizes as fit. So batches form by themselves where there are many
 * requests, and a single one need not wait.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  #waiting: Job[] = [];
  #running = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BatcherOptions) {
    this.#options = options;
  }

  /** Number of requests that wait for a run. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs the model for the rows of a request. One whose signal aborts before its run is taken out. */
  submit(feeds: Feeds, rows: number, signal: AbortSignal): Promise<ModelRun> {
    if (signal.aborted) return Promise.reject(signal.reason);
    let job: Job | undefined;
    const leave = () => {
      this.#waiting = this.#waiting.filter((one) => one !== job);
      job?.reject(signal.reason);
    };
    const run = new Promise<ModelRun>((resolve, reject) => {
      job = { feeds, rows, key: joinKey(feeds), since: this.#options.now(), resolve, reject };
      signal.addEventListener('abort', leave);
      this.#waiting.push(job);
      this.#next();
    });
    return run.finally(() => signal.removeEventListener('abort', leave));
  }

  /** Starts a run if there is none and something waits for it. */
  #next(): void {
    clearTimeout(this.#timer);
    const [first] = this.#waiting;
    if (this.#running || !first) return;
    const jobs = this.#fitting(first);
    const { maxBatch, maxDelay, now } = this.#options;
    const rest = first.since + maxDelay - now();
    if (rowsIn(jobs) < maxBatch && rest > 0) {
      this.#timer = setTimeout(() => this.#next(), Math.ceil(rest));
      return;
    }
    this.#waiting = this.#waiting.filter((job) => !jobs.includes(job));
    this.#running = true;
    void this.#run(jobs).finally(() => {
      this.#running = false;
      this.#next();
    });
  }

  /** The first job, and those that can be joined with it. */
  #fitting(first: Job): Job[] {
    const jobs = [first];
    let free = this.#options.maxBatch - first.rows;
    for (const job of this.#waiting) {
      if (job === first || job.key !== first.key || job.rows > free) continue;
      jobs.push(job);
      free -= job.rows;
    }
    return jobs;
  }

  async #run(jobs: readonly Job[]): Promise<void> {
    let run: ModelRun;
    try {
      run = await this.#options.run(joined(jobs.map(({ feeds }) => feeds)));
    } catch (error) {
      const [only, ...others] = jobs;
      if (others.length === 0) only?.reject(error);
      // Each alone, so that a request does not fail because of its neighbour.
      else for (const job of jobs) await this.#run([job]);
      return;
    }
    const rows = rowsIn(jobs);
    this.#options.ran(rows, run.milliseconds);
    if (jobs.length === 1) {
      jobs[0]?.resolve(run);
      return;
    }
    let from = 0;
    for (const job of jobs) {
      const outputs: Tensors = rowsOf(run.outputs, from, job.rows);
      job.resolve({ outputs, milliseconds: run.milliseconds });
      from += job.rows;
    }
  }
}

function rowsIn(jobs: readonly Job[]): number {
  return jobs.reduce((sum, { rows }) => sum + rows, 0);
}
