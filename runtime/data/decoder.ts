import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { UserError } from '../files/user-error.ts';
import { loadSharp } from '../images/load-sharp.ts';
import { hasThreads, startThread } from '../process/own-thread.ts';
import { type DecodedSample, type DecodeRequest, decodeSample } from './decode.ts';
import type { WorkerAnswer, WorkerRequest } from './decode-worker.ts';

/** Decodes samples on other threads. Must be closed. */
export interface Decoder {
  /** Throws the same UserErrors as `decodeSample`. */
  decode(request: DecodeRequest): Promise<DecodedSample>;
  /** Waits for running requests. Queued requests are dropped, and their promises never settle. */
  close(): Promise<void>;
}

/** Two thirds of the work are done by the threads of libuv, so that more of these would wait for them. */
const MOST_THREADS = 16;

/**
 * Returns the default number of decoding threads, which leaves one core to the training. Images are decoded in native
 * code by the threads of libuv, of which the command has one for each core (cli/thread-pool.ts).
 */
export function decodingThreads(cores: number = availableParallelism()): number {
  return hasThreads() ? Math.max(1, Math.min(MOST_THREADS, cores - 1)) : 0;
}

/** Opens a decoder; with 0 threads, this thread decodes. */
export async function openDecoder(threads: number): Promise<Decoder> {
  if (threads === 0) return { decode: decodeSample, close: () => Promise.resolve() };
  // On Linux with glibc, sharp must be loaded on this thread first, or its libraries
  // are unloaded when the first worker ends.
  await loadSharp();
  return new ThreadedDecoder(threads);
}

/** Two tasks per thread: one is decoded in native code while the other is resized in JavaScript. */
const TASKS_PER_THREAD = 2;

interface Task {
  readonly request: DecodeRequest;
  resolve(sample: DecodedSample): void;
  reject(error: unknown): void;
}

interface Thread {
  readonly worker: Worker;
  readonly running: Map<number, Task>;
  readonly ended: Promise<void>;
}

class ThreadedDecoder implements Decoder {
  #threads: Thread[] = [];
  readonly #waiting: Task[] = [];
  #next = 0;
  #closed = false;

  constructor(threads: number) {
    this.#threads = Array.from({ length: threads }, () => this.#start());
  }

  decode(request: DecodeRequest): Promise<DecodedSample> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.length = 0;
    const end: WorkerRequest = undefined;
    for (const { worker } of this.#threads) {
      worker.ref();
      worker.postMessage(end);
    }
    await Promise.all(this.#threads.map(({ ended }) => ended));
  }

  #start(): Thread {
    const worker = startThread('decode-worker');
    // A worker without tasks must not keep the process alive if the decoder is not closed.
    worker.unref();
    const running = new Map<number, Task>();
    const fail = (error: unknown) => {
      for (const task of running.values()) task.reject(error);
      running.clear();
    };
    worker.on('message', (answer: WorkerAnswer) => {
      const task = running.get(answer.id)!;
      running.delete(answer.id);
      if (running.size === 0 && !this.#closed) worker.unref();
      if ('fault' in answer) task.reject(answer.user ? new UserError(answer.fault) : new Error(answer.fault));
      else task.resolve({ image: answer.image, target: answer.target, notes: answer.notes });
      this.#dispatch();
    });
    worker.on('error', fail);
    const ended = new Promise<void>((resolve) => {
      worker.on('exit', (code) => {
        this.#lose(worker, new Error(`a decoding thread ended with code ${code}`), fail);
        resolve();
      });
    });
    return { worker, running, ended };
  }

  /** Removes a thread that ended. If none is left, rejects all waiting tasks. */
  #lose(worker: Worker, error: Error, fail: (error: unknown) => void): void {
    fail(error);
    this.#threads = this.#threads.filter((thread) => thread.worker !== worker);
    if (this.#threads.length === 0) for (const task of this.#waiting.splice(0)) task.reject(error);
  }

  #dispatch(): void {
    while (this.#waiting.length > 0 && !this.#closed) {
      const [first, ...others] = this.#threads;
      if (!first) throw new Error('all decoding threads have ended');
      const thread = others.reduce((a, b) => (b.running.size < a.running.size ? b : a), first);
      if (thread.running.size >= TASKS_PER_THREAD) return;
      const task = this.#waiting.shift()!;
      const id = this.#next++;
      const message: WorkerRequest = { id, request: task.request };
      thread.running.set(id, task);
      thread.worker.ref();
      thread.worker.postMessage(message);
    }
  }
}
