import type { ArrayPool } from './array-pool.ts';
import type { Feeds, HostTensor, PortType } from './host-tensor.ts';

export type Device = 'cpu' | 'cuda' | 'webgpu';
export const devices: readonly Device[] = ['cpu', 'cuda', 'webgpu'];

export interface SessionOptions {
  /**
   * auto (default): CUDA if it works, else the CPU. WebGPU must be requested,
   * because it depends too much on its driver.
   */
  readonly device?: Device | 'auto';
  /** Number of threads within an operator; default: the number of physical cores. */
  readonly threads?: number;
  /**
   * Whether the second run puts all tensors into one memory block, planned from the first run (default true). Slower
   * for training steps: nearly all their tensors live to the end, so the block is allocated in addition to the memory
   * of the first run.
   */
  readonly planMemory?: boolean;
  /** False for a model that runs once: onnxruntime then skips its optimisations, so it loads faster and runs slower. */
  readonly optimised?: boolean;
  /** Whether the graph computes in half precision. */
  readonly half?: boolean;
  /**
   * Whether CUDA may round the factors of products in f32 to 10 bits of mantissa (TF32), which is faster (default true).
   * Other devices do not round.
   */
  readonly tf32?: boolean;
}

/** An open model. Must be released, because it holds memory outside of JavaScript. */
export interface Session {
  readonly device: Device;
  /** With `auto`, why this device was chosen; on CUDA, why a run is slower than it could be. */
  readonly note: string | undefined;
  /** Whether products in f32 are computed in TF32. */
  readonly tf32: boolean;
  readonly inputs: readonly PortType[];
  readonly outputs: readonly PortType[];
  /**
   * Arrays for feeds, of which copies to the device are fastest; undefined where runs read any array where it is.
   * @internal
   */
  readonly arrays: ArrayPool | undefined;
  /**
   * Runs once. Outputs named in `into` are written to those buffers (which may be an input's own, for updates in
   * place); for the others, new tensors are returned. Computes only the outputs in `wanted`; all by default.
   */
  run(
    feeds: Feeds,
    options?: { readonly wanted?: readonly string[]; readonly into?: Feeds },
  ): Promise<Readonly<Record<string, HostTensor>>>;
  /**
   * Binds buffers for many runs, so that a model with thousands of inputs and outputs creates no tensors per run. Each
   * run reads the current content of `feeds` and writes the outputs of `into`; no other outputs are computed.
   */
  prepare(bound: { readonly feeds: Feeds; readonly into: Feeds }): PreparedRun;
  release(): Promise<void>;
}

/** Runs once with the bound buffers and these feeds. */
export type PreparedRun = (feeds: Feeds) => Promise<void>;

/** One note of several; undefined if there is none. */
export function joined(notes: readonly (string | undefined)[]): string | undefined {
  const some = notes.filter((note) => note !== undefined);
  return some.length === 0 ? undefined : some.join('; ');
}
