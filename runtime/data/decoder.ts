import { availableParallelism } from 'node:os';
import { loadSharp } from '../images/load-sharp.ts';
import { hasThreads } from '../process/own-thread.ts';
import { ThreadPool } from '../process/thread-pool.ts';
import { type DecodedSample, type DecodeRequest, decodeSample } from './decode.ts';

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
 * code by the threads of libuv, of which the command has one for each core (cli/libuv-threads.ts).
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
  return threadedDecoder(threads);
}

/** Two tasks per thread: one is decoded in native code while the other is resized. */
const TASKS_PER_THREAD = 2;

function threadedDecoder(threads: number): Decoder {
  const pool = new ThreadPool<DecodeRequest, DecodedSample>('decode-worker', {
    threads,
    tasksPerThread: TASKS_PER_THREAD,
  });
  return { decode: (request) => pool.run(request), close: () => pool.close() };
}
