import { openSession as openOrtSession } from '../runtime/ort/session.ts';
import type { ElementType, Port } from './models.ts';

/** `auto`: CUDA where it works, else the CPU. WebGPU is used on request only. */
export type Device = 'cpu' | 'cuda' | 'webgpu';

/** A tensor in this process's memory, row-major. i64 is a BigInt64Array; bool and u8 are a Uint8Array; f16 is its bits in a Uint16Array. */
export interface Tensor {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array | Uint16Array | BigInt64Array;
}

/** What `openSession` takes. */
export interface SessionOptions {
  /** `auto` when not given. */
  readonly device?: Device | 'auto';
  /** Threads within an operator on the CPU; one for each physical core when not given. */
  readonly threads?: number;
  /** The model computes in half precision, as `build` with `dtype: 'f16'` writes it. */
  readonly half?: boolean;
}

/** What a run computes, and where it writes it. */
export interface RunOptions {
  /** Names of the outputs to compute; all when not given. */
  readonly wanted?: readonly string[];
  /** Buffers for outputs, by name; the others are new. One may be an input's own, for an update in place. */
  readonly into?: Readonly<Record<string, Tensor>>;
}

/** An ONNX model ready to run. */
export interface Session {
  /** Where it runs. */
  readonly device: Device;
  /** Under `auto`, why it runs there. */
  readonly note: string | undefined;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /**
   * Runs once, with a tensor for each input by name. Sizes are the caller's to keep: the guards of the model are not checked
   * here, which the typed client of `build` does.
   *
   * @throws UserError for inputs that the model cannot run with, and where memory runs out.
   */
  run(feeds: Readonly<Record<string, Tensor>>, options?: RunOptions): Promise<Readonly<Record<string, Tensor>>>;
  /** Frees what it holds outside JavaScript. Call it once, when done. */
  release(): Promise<void>;
}

/**
 * Opens an ONNX model with onnxruntime, from a path (weights beside it are found) or from its bytes.
 *
 * @throws UserError for a bad model, for a device that is not there, and where `onnxruntime-node` is not installed.
 * @example
 * import { openSession } from 'crobc/runtime';
 *
 * const session = await openSession('out/Half.onnx');
 * const { y } = await session.run({ x: { dtype: 'f32', shape: [3], data: Float32Array.of(1, 2, 5) } });
 * console.log(y?.shape, y?.data);
 * await session.release();
 */
export async function openSession(model: string | Uint8Array, options: SessionOptions = {}): Promise<Session> {
  return openOrtSession(model, options);
}
