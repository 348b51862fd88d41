import type { CallThread } from './call-thread.ts';
import type { Handle } from './handle.ts';
import type { Native } from './native.ts';

/** What everything on one device shares. */
export interface Context {
  readonly native: Native;
  readonly thread: CallThread;
  /** Owns all objects of the device. */
  readonly environment: Handle;
  /** Describes the memory of this process. */
  readonly hostMemory: Handle;
  /** Describes the memory of the device. */
  readonly deviceMemory: Handle;
  /** Allocates memory of the device. */
  readonly allocator: Handle;
  /** Runs in progress. */
  readonly running: Set<unknown>;
  /** Whether the device computes in the memory of this process. */
  readonly inHostMemory: boolean;
}

/** Calls a function with a place for a pointer, and returns what it stores there. */
export function pointerFrom(call: (out: BigUint64Array) => void): bigint {
  const out = new BigUint64Array(1);
  call(out);
  return out[0]!;
}
