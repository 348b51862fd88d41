import type { Transferable, Worker } from 'node:worker_threads';
import { UserError } from '../files/user-error.ts';
import { type OwnThread, startThread } from './own-thread.ts';
import type { ThreadAnswer, ThreadRequest } from './thread-tasks.ts';

interface Task<Answer> {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

interface Thread<Answer> {
  readonly worker: Worker;
  readonly running: Map<number, Task<Answer>>;
  readonly ended: Promise<void>;
}

/**
 * Threads that answer requests, each with one of crobc's own modules, which calls `answerRequests`. A thread works on
 * what it was sent at the same time, as far as it waits for native code. Must be closed.
 */
export class ThreadPool<Request, Answer> {
  readonly #name: OwnThread;
  readonly #threads: readonly Thread<Answer>[];
  readonly #onLost: (error: Error) => void;
  #next = 0;
  #failure: Error | undefined;
  #closed = false;

  /** `onLost` is called once if a thread ends before the pool is closed; all requests fail from then on. */
  constructor(name: OwnThread, threads: number, onLost: (error: Error) => void) {
    this.#name = name;
    this.#onLost = onLost;
    this.#threads = Array.from({ length: threads }, () => this.#start());
  }

  /** Sends a request to the thread that has the fewest. Throws the same UserErrors as the thread's own function. */
  run(request: Request, transfer: readonly Transferable[] = []): Promise<Answer> {
    const [first, ...others] = this.#threads;
    if (this.#failure) return Promise.reject(this.#failure);
    if (!first || this.#closed) return Promise.reject(new Error(`bug in crobc: no thread ${this.#name} is open`));
    const { worker, running } = others.reduce((a, b) => (b.running.size < a.running.size ? b : a), first);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      running.set(id, { resolve, reject });
      const message: ThreadRequest<Request> = { id, request };
      worker.postMessage(message, transfer);
    });
  }

  /** Waits for running requests. */
  async close(): Promise<void> {
    this.#closed = true;
    const end: ThreadRequest<Request> = undefined;
    for (const { worker } of this.#threads) worker.postMessage(end);
    await Promise.all(this.#threads.map(({ ended }) => ended));
  }

  #start(): Thread<Answer> {
    const worker = startThread(this.#name);
    const running = new Map<number, Task<Answer>>();
    const lose = (error: Error) => {
      const first = this.#failure === undefined;
      this.#failure ??= error;
      for (const task of running.values()) task.reject(error);
      running.clear();
      if (first && !this.#closed) this.#onLost(error);
    };
    worker.on('message', (message: ThreadAnswer<Answer>) => {
      const task = running.get(message.id);
      running.delete(message.id);
      if (!('fault' in message)) task?.resolve(message.answer);
      else task?.reject(message.user ? new UserError(message.fault) : new Error(message.fault));
    });
    worker.on('error', lose);
    const ended = new Promise<void>((resolve) => {
      worker.on('exit', (code) => {
        if (!this.#closed || running.size > 0) lose(new Error(`the thread ${this.#name} ended with code ${code}`));
        resolve();
      });
    });
    return { worker, running, ended };
  }
}
