import { openSession as openOrtSession } from '../runtime/ort/session.ts';
import type { ElementType, Port } from './models.ts';

/** `auto`: CUDA if it works, otherwise the CPU. WebGPU is only used on request. */
export type Device = 'cpu' | 'cuda' | 'webgpu';

/** A tensor in the memory of this process, in row-major order. i64 is a BigInt64Array, bool and u8 are a Uint8Array, and f16 is a Uint16Array of the bits. */
export interface Tensor {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array | Uint16Array | BigInt64Array;
}

/** Options of `openSession`. */
export interface SessionOptions {
  /** `auto` by default. */
  readonly device?: Device | 'auto';
  /** Threads within an operator on the CPU; by default, one for each physical core. */
  readonly threads?: number;
  /** True for a model in half precision, which `build` writes with `dtype: 'f16'`. */
  readonly half?: boolean;
  /** Whether CUDA may round factors of products in f32 to 10 bits of mantissa (TF32), which is faster; by default true. */
  readonly tf32?: boolean;
}

/** Options of a run. */
export interface RunOptions {
  /** Names of the outputs to compute; by default, all. */
  readonly wanted?: readonly string[];
  /** Buffers for outputs, by name; other outputs are allocated. A buffer may be that of an input, for an update in place. */
  readonly into?: Readonly<Record<string, Tensor>>;
}

/** An ONNX model ready to run. */
export interface Session {
  /** The device on which the model runs. */
  readonly device: Device;
  /** Under `auto`, the reason for this device. */
  readonly note: string | undefined;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /**
   * Runs the model once, with a tensor for each input by name. The guards of the model are not checked here, so the caller must
   * make sure that sizes are valid; the typed client of `build` checks them.
   *
   * @throws UserError if the model cannot run with these inputs, or if memory runs out.
   */
  run(feeds: Readonly<Record<string, Tensor>>, options?: RunOptions): Promise<Readonly<Record<string, Tensor>>>;
  /** Frees memory outside JavaScript. Call it once, after the last run. */
  release(): Promise<void>;
}

/**
 * Opens an ONNX model with onnxruntime, from a path (with the weights file next to it, if there is one) or from its bytes.
 *
 * @throws UserError if the model is invalid, if the device is not available, or if `onnxruntime-node` is not installed.
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
