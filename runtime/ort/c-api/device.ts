import type { HostTensor } from '../host-tensor.ts';
import { expectShortCommandLine } from '../short-command-line.ts';
import { TINY_MODEL } from '../tiny-model.ts';
import { shrinkArena } from './arena.ts';
import { CallThread } from './call-thread.ts';
import { type CapturingSession, openCapturing } from './capturing.ts';
import { type Context, pointerFrom } from './context.ts';
import { Handle } from './handle.ts';
import { loadNative, type Native, type NoNative } from './native.ts';
import { PinnedArrays } from './pinned.ts';
import { captureOf, type Provider, prepareProvider } from './provider.ts';
import { type AppendProvider, FATAL, NativeSession, type NativeSessionOptions, openNativeSession } from './session.ts';
import { ArrayTensor, copyTensors, DeviceTensor, type TensorType } from './tensor.ts';

export { type Bound, type BoundRun, misfitOf } from './bound-run.ts';
export type { CapturingSession } from './capturing.ts';
export { NativeFailure, type NoNative } from './native.ts';
export type { Provider } from './provider.ts';
export type { NativeSession, NativeSessionOptions } from './session.ts';
export { ShapedRuns } from './shaped-runs.ts';
export type { ArrayTensor, DeviceTensor, Tensor, TensorType } from './tensor.ts';

/**
 * onnxruntime on one device, through its C API. Everything that is made with it belongs to it, and all lengthy calls
 * are made on a thread of its own. No address of native memory leaves this folder.
 */
export class NativeDevice {
  readonly #context: Context;
  readonly #append: AppendProvider;
  readonly #pinned: PinnedArrays;
  readonly #sessions = new Set<NativeSession>();
  #released: Promise<void> | undefined;

  /** Throws a NativeFailure if the provider does not work, and a UserError if onnxruntime would crash here. */
  static async open(provider: Provider): Promise<NativeDevice | NoNative> {
    expectShortCommandLine();
    const native = loadNative();
    if ('missing' in native) return native;
    const pointer = pointerFrom((out) => native.call('CreateEnv', FATAL, 'crobc', out));
    const environment = new Handle(native, { kind: 'a device', by: 'ReleaseEnv', owner: undefined }, pointer);
    const thread = new CallThread(native);
    try {
      const append = await prepareProvider({ native, thread, environment }, provider);
      const context = await memoryOf({ native, thread, environment }, provider, append);
      return new NativeDevice(context, append);
    } catch (error) {
      await thread.end();
      environment.release();
      throw error;
    }
  }

  private constructor(context: Context, append: AppendProvider) {
    this.#context = context;
    this.#append = append;
    this.#pinned = new PinnedArrays(context);
    releaseAtExit(this);
  }

  /** A tensor in an array, whose elements may change between runs. */
  array(host: HostTensor): ArrayTensor {
    this.#expectOpen();
    return new ArrayTensor(this.#context, host);
  }

  /** A tensor on the device. Throws a NativeFailure if there is not enough memory. */
  allocate(type: TensorType): DeviceTensor {
    return DeviceTensor.allocate(this.#context, type);
  }

  /** Copies elements between tensors of the same types and shapes on this device, which is one call for all of them. */
  copy(copies: readonly { readonly from: DeviceTensor; readonly to: DeviceTensor }[]): Promise<void> {
    return copyTensors(this.#context, copies);
  }

  /**
   * An array from which and to which copies are fastest, for what often changes. Its buffer cannot be transferred to
   * another thread. Throws a NativeFailure if there is not enough memory.
   */
  pinned(type: TensorType): HostTensor {
    this.#expectOpen();
    return this.#pinned.allocate(type);
  }

  /** Whether runs copy arrays to memory of the device, and do not read them where they are. */
  get copiesArrays(): boolean {
    return this.#context.staged;
  }

  /** Opens a model, from bytes or from a path. Throws a NativeFailure, and a UserError for types of tensors. */
  open(model: string | Uint8Array, options: NativeSessionOptions = {}): Promise<NativeSession> {
    return this.#open(model, options);
  }

  /** Opens a model whose runs are captured where that is possible. Throws as `open` does. */
  openCapturing(model: string | Uint8Array, options: NativeSessionOptions = {}): Promise<CapturingSession> {
    return openCapturing(this.#context.capture, (captures) =>
      this.#open(model, { ...options, captures, placement: true }),
    );
  }

  #expectOpen(): void {
    if (this.#released) throw new Error('bug in crobc: a device is used after its release');
  }

  async #open(
    model: string | Uint8Array,
    options: NativeSessionOptions & { readonly captures?: boolean },
  ): Promise<NativeSession> {
    const handle = await openNativeSession(this.#context, model, options, this.#append);
    try {
      const named = options.named ?? 'the model';
      const session = new NativeSession(this.#context, handle, named, () => this.#sessions.delete(session));
      this.#sessions.add(session);
      return session;
    } catch (error) {
      handle.release();
      throw error;
    }
  }

  /**
   * Waits for runs in progress, and releases everything that was made with the device, but for the memory of pinned
   * arrays that are in use: that is released when the last of them is collected, or when the process ends.
   */
  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.release()));
    // A session may still be opening.
    await this.#context.thread.end();
    const wasReleased = this.#pinned.whenUnused(() => {
      this.#context.environment.release();
      open.delete(this);
    });
    if (wasReleased) return;
    this.#context.allocator.release();
    shrinkArena(this.#context);
  }

  /** Stops what runs, and releases everything at once, when the process ends. */
  releaseNow(): void {
    for (const session of this.#sessions) session.cancel();
    // An operator that goes on for longer would only be waited for.
    if (this.#context.thread.closeNow(10_000)) this.#context.environment.releaseNow();
  }
}

/**
 * The memory of a device: onnxruntime hands out allocators by session, so a tiny model is kept open. Running CUDA, it
 * also shows that the provider works.
 */
async function memoryOf(
  base: Pick<Context, 'native' | 'thread' | 'environment'>,
  provider: Provider,
  append: AppendProvider,
): Promise<Context> {
  const { native, environment } = base;
  const session = await openNativeSession(base, Buffer.from(TINY_MODEL, 'base64'), { threads: 1 }, append);
  const hostMemory = memoryInfo(native, environment, 'Cpu');
  const inHostMemory = provider.device === 'cpu';
  const memory = inHostMemory ? hostMemory : memoryInfo(native, environment, 'Cuda');
  const pinnedMemory = inHostMemory ? hostMemory : memoryInfo(native, environment, 'CudaPinned');
  const allocatorOf = (info: Handle) => {
    const allocator = pointerFrom((out) => native.call('CreateAllocator', session.pointer, info.pointer, out));
    return new Handle(native, { kind: 'an allocator', by: 'ReleaseAllocator', owner: session }, allocator);
  };
  return {
    ...base,
    memory: session,
    hostMemory,
    deviceMemory: memory,
    running: new Set(),
    allocator: allocatorOf(memory),
    pinnedAllocator: allocatorOf(pinnedMemory),
    inHostMemory,
    staged: provider.device === 'cuda' || provider.staged === true,
    capture: captureOf(provider),
  };
}

/** OrtAllocatorType and OrtMemType of memory for tensors. */
const [ARENA_ALLOCATOR, DEFAULT_MEMORY] = [1, 0];

function memoryInfo(native: Native, owner: Handle, name: 'Cpu' | 'Cuda' | 'CudaPinned'): Handle {
  const info = pointerFrom((out) => native.call('CreateMemoryInfo', name, ARENA_ALLOCATOR, 0, DEFAULT_MEMORY, out));
  return new Handle(native, { kind: 'a description of memory', by: 'ReleaseMemoryInfo', owner }, info);
}

const open = new Set<NativeDevice>();
let listening = false;

/** The process may end at any time, and CUDA's provider crashes if its sessions are still open then. */
function releaseAtExit(device: NativeDevice): void {
  open.add(device);
  if (listening) return;
  listening = true;
  process.on('exit', () => {
    for (const one of open) one.releaseNow();
  });
}
