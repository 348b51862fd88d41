import type { CallThread } from './call-thread.ts';
import type { Handle } from './handle.ts';
import type { Native } from './native.ts';

/** What everything on one device shares. */
export interface Context {
  readonly native: Native;
  readonly thread: CallThread;
  /** Owns all objects of the device. */
  readonly environment: Handle;
  /** The session, of a tiny model, whose allocators are in use. */
  readonly memory: Handle;
  /** Describes the memory of this process. */
  readonly hostMemory: Handle;
  /** Describes the memory of the device. */
  readonly deviceMemory: Handle;
  /** Allocates memory of the device. */
  readonly allocator: Handle;
  /** Allocates memory of this process from which copies to the device are fastest: page-locked, for CUDA. */
  readonly pinnedAllocator: Handle;
  /** Runs in progress. */
  readonly running: Set<unknown>;
  /** Whether the device computes in the memory of this process. */
  readonly inHostMemory: boolean;
  /** Whether runs use tensors on the device in the place of arrays: true unless the device can use arrays. */
  readonly staged: boolean;
  /** How often the first run of a binding that is to be captured runs the model, on a device that captures. */
  readonly capture: Capture | undefined;
}

/** How a device captures runs. */
export interface Capture {
  /** The execution provider that has to run all nodes. */
  readonly provider: string;
  /**
   * 1 where onnxruntime itself repeats the first run, as for CUDA. Tests on the CPU give the number of times, so that
   * all that is done about it is done there too.
   */
  readonly firstRuns: number;
}

/** Calls a function with a place for a pointer, and returns what it stores there. */
export function pointerFrom(call: (out: BigUint64Array) => void): bigint {
  const out = new BigUint64Array(1);
  call(out);
  return out[0]!;
}
