import { newElements } from '../elements.ts';
import type { HostTensor } from '../host-tensor.ts';
import { type Context, pointerFrom } from './context.ts';
import { elementNumber, elementSize, elementsOn } from './element-types.ts';
import { Handle } from './handle.ts';
import { LONGEST_VIEW } from './native.ts';
import { elementCount, type TensorType } from './tensor.ts';

/**
 * Arrays of JavaScript in memory that onnxruntime allocates for copies to and from a device: page-locked for CUDA, which
 * copies other memory through a buffer of its own. The memory is released when no array refers to it any more.
 */
export class PinnedArrays {
  readonly #context: Context;
  readonly #live = new Set<Handle>();
  readonly #registry = new FinalizationRegistry<Handle>((value) => {
    this.#live.delete(value);
    value.release();
    if (this.#live.size === 0) this.#onUnused?.();
  });
  #onUnused: (() => void) | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Calls a function as soon as no array refers to the memory. Returns whether that is at once. */
  whenUnused(call: () => void): boolean {
    if (this.#live.size > 0) {
      this.#onUnused = call;
      return false;
    }
    call();
    return true;
  }

  /**
   * An array, with any elements. Its buffer cannot be transferred to another thread. Of more than 4 GiB, it is in
   * ordinary memory. Throws a NativeFailure if there is not enough memory.
   */
  allocate({ dtype, shape }: TensorType): HostTensor {
    const { native, pinnedAllocator, staged } = this.#context;
    const length = elementCount(shape) * elementSize(dtype);
    if (!staged || length === 0 || length > LONGEST_VIEW) return { dtype, shape, data: newElements(dtype, shape) };
    const sizes = BigInt64Array.from(shape, BigInt);
    const type = elementNumber(dtype);
    const pointer = pointerFrom((out) =>
      native.call('CreateTensorAsOrtValue', pinnedAllocator.pointer, sizes, shape.length, type, out),
    );
    const value = new Handle(native, { kind: 'an array', by: 'ReleaseValue', owner: pinnedAllocator }, pointer);
    const address = pointerFrom((out) => native.call('GetTensorMutableData', value.pointer, out));
    const { buffer } = native.bytesAt(address, length);
    this.#live.add(value);
    this.#registry.register(buffer, value);
    return { dtype, shape, data: elementsOn(dtype, buffer as ArrayBuffer) };
  }
}
