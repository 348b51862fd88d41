import type { Transferable, Worker } from 'node:worker_threads';
import { UserError } from '../files/user-error.ts';
import { type OwnThread, startThread } from './own-thread.ts';
import type { ThreadAnswer, ThreadRequest } from './thread-tasks.ts';

interface Task<Request, Answer> {
  readonly request: Request;
  readonly transfer: readonly Transferable[];
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

interface Thread<Request, Answer> {
  readonly worker: Worker;
  readonly running: Map<number, Task<Request, Answer>>;
  readonly ended: Promise<void>;
}

export interface ThreadPoolOptions {
  readonly threads: number;
  /**
   * Most requests that a thread works on at the same time, which it does as far as it waits for native code. Others wait
   * for the first thread that is free. By default, a thread is sent what comes.
   */
  readonly tasksPerThread?: number;
  /** Called once if a thread ends before the pool is closed; all requests fail from then on. */
  readonly onLost?: (error: Error) => void;
}

/**
 * Threads that answer requests, each with one of crobc's own modules, which calls `answerRequests`. Threads without
 * requests keep no process alive. Must be closed.
 */
export class ThreadPool<Request, Answer> {
  readonly #name: OwnThread;
  readonly #threads: readonly Thread<Request, Answer>[];
  readonly #tasksPerThread: number;
  readonly #onLost: ((error: Error) => void) | undefined;
  readonly #waiting: Task<Request, Answer>[] = [];
  #next = 0;
  #failure: Error | undefined;
  #closed = false;

  constructor(name: OwnThread, options: ThreadPoolOptions) {
    this.#name = name;
    this.#tasksPerThread = options.tasksPerThread ?? Number.POSITIVE_INFINITY;
    this.#onLost = options.onLost;
    this.#threads = Array.from({ length: options.threads }, () => this.#start());
  }

  /** Sends a request to the thread that has the fewest. Throws the same UserErrors as the thread's own function. */
  run(request: Request, transfer: readonly Transferable[] = []): Promise<Answer> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#closed) return Promise.reject(new Error(`bug in crobc: the threads ${this.#name} are closed`));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, transfer, resolve, reject });
      this.#dispatch();
    });
  }

  /** Waits for running requests. Those that no thread has begun are dropped, and their promises never settle. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.length = 0;
    const end: ThreadRequest<Request> = undefined;
    for (const { worker } of this.#threads) {
      worker.ref();
      worker.postMessage(end);
    }
    await Promise.all(this.#threads.map(({ ended }) => ended));
  }

  #start(): Thread<Request, Answer> {
    const worker = startThread(this.#name);
    worker.unref();
    const running = new Map<number, Task<Request, Answer>>();
    worker.on('message', (message: ThreadAnswer<Answer>) => {
      const task = running.get(message.id);
      running.delete(message.id);
      if (running.size === 0 && !this.#closed) worker.unref();
      if (!('fault' in message)) task?.resolve(message.answer);
      else task?.reject(message.user ? new UserError(message.fault) : new Error(message.fault));
      this.#dispatch();
    });
    worker.on('error', (error) => this.#lose(error instanceof Error ? error : new Error(String(error))));
    const ended = new Promise<void>((resolve) => {
      worker.on('exit', (code) => {
        if (!this.#closed || running.size > 0)
          this.#lose(new Error(`the thread ${this.#name} ended with code ${code}`));
        resolve();
      });
    });
    return { worker, running, ended };
  }

  #lose(error: Error): void {
    const isFirst = this.#failure === undefined;
    this.#failure ??= error;
    for (const { running } of this.#threads) {
      for (const task of running.values()) task.reject(error);
      running.clear();
    }
    for (const task of this.#waiting.splice(0)) task.reject(error);
    if (isFirst && !this.#closed) this.#onLost?.(error);
  }

  #dispatch(): void {
    while (this.#waiting.length > 0 && !this.#closed) {
      const [first, ...others] = this.#threads;
      if (!first) throw new Error(`bug in crobc: a pool of ${this.#name} without threads`);
      const thread = others.reduce((a, b) => (b.running.size < a.running.size ? b : a), first);
      const task = thread.running.size < this.#tasksPerThread ? this.#waiting.shift() : undefined;
      if (!task) return;
      const id = this.#next++;
      const message: ThreadRequest<Request> = { id, request: task.request };
      thread.running.set(id, task);
      thread.worker.ref();
      thread.worker.postMessage(message, task.transfer);
    }
  }
}
