import type { Worker } from 'node:worker_threads';
import { startThread } from '../../process/own-thread.ts';
import { STACK_SIZE } from '../load-koffi.ts';
import type { Argument, Arguments, Pointer, StatusCall } from './calls.ts';
import type { Native } from './native.ts';

/** Values of the shared state; after `CLOSED`, the thread calls nothing more. */
const [IDLE, CALLING, CLOSED] = [0, 1, 2];

/** An answer of the thread: the status of the last call, or an error of JavaScript, which only a bug can cause. */
type Answer = { readonly id: number; readonly status: bigint | null } | { readonly id: number; readonly fault: string };

/** A call to make on the thread. */
export interface ThreadCall {
  readonly name: StatusCall;
  readonly args: readonly Argument[];
}

export function threadCall<Name extends StatusCall>(name: Name, ...args: Arguments<Name>): ThreadCall {
  return { name, args };
}

interface Waiting {
  /** Arrays whose memory the call uses: referred to until it has returned, or they would be collected. */
  readonly used: readonly unknown[];
  resolve(status: bigint | null): void;
  reject(error: unknown): void;
}

/**
 * A thread on which all lengthy calls of one device are made, one after the other: CUDA captures its graphs by thread,
 * and the event loop stays free meanwhile.
 */
export class CallThread {
  readonly #native: Native;
  readonly #state = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  #next = 0;
  #ending = false;

  constructor(native: Native) {
    this.#native = native;
    this.#worker = startThread('call-worker', {
      state: this.#state.buffer,
      library: native.path,
      stackSize: STACK_SIZE,
    });
    this.#worker.unref();
    this.#worker.on('message', (answer: Answer) => {
      const waiting = this.#take(answer.id);
      if ('fault' in answer) waiting?.reject(new Error(`bug in crobc: ${answer.fault}`));
      else waiting?.resolve(answer.status);
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#fail(new Error('the thread of the device has ended'));
        resolve();
      });
    });
  }

  /** Throws a NativeFailure. */
  call<Name extends StatusCall>(name: Name, ...args: Arguments<Name>): Promise<void> {
    return this.sequence([threadCall(name, ...args)]);
  }

  /** Makes calls one after the other, until one fails, without a word between the threads. Throws a NativeFailure. */
  async sequence(calls: readonly ThreadCall[]): Promise<void> {
    if (this.#ending) throw new Error('bug in crobc: a device is used after its release');
    const native = this.#native;
    const id = this.#next++;
    const status = await new Promise<bigint | null>((resolve, reject) => {
      this.#waiting.set(id, { used: calls, resolve, reject });
      this.#worker.ref();
      const plain = calls.map(({ name, args }) => ({
        ...native.signature(name),
        args: args.map((arg) => (ArrayBuffer.isView(arg) ? native.addressOf(arg as Pointer) : arg)),
      }));
      this.#worker.postMessage({ id, calls: plain });
    });
    native.check(status);
  }

  /**
   * Blocks until no call runs, so that nothing of onnxruntime is in use, and prevents all further calls. False if the
   * call does not return in time.
   */
  closeNow(milliseconds: number): boolean {
    const until = Date.now() + milliseconds;
    for (;;) {
      if (Atomics.compareExchange(this.#state, 0, IDLE, CLOSED) !== CALLING) return true;
      const left = until - Date.now();
      if (left <= 0) return false;
      Atomics.wait(this.#state, 0, CALLING, left);
    }
  }

  /** Ends the thread after the calls that are waiting. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#worker.ref();
    this.#worker.postMessage(undefined);
    await this.#ended;
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    // A thread without a call must not keep the process alive.
    if (this.#waiting.size === 0) this.#worker.unref();
    return waiting;
  }

  #fail(error: unknown): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
