import { expectShortCommandLine, type HostTensor, TINY_MODEL } from '../session.ts';
import { CallThread } from './call-thread.ts';
import { type Context, pointerFrom } from './context.ts';
import { Handle } from './handle.ts';
import { loadNative, type Native, type NoNative } from './native.ts';
import { type Provider, prepareProvider } from './provider.ts';
import { type AppendProvider, FATAL, NativeSession, type NativeSessionOptions, openNativeSession } from './session.ts';
import { ArrayTensor, DeviceTensor, type TensorType } from './tensor.ts';

export { NativeFailure, type NoNative } from './native.ts';
export type { Provider } from './provider.ts';
export type { NativeSession, NativeSessionOptions } from './session.ts';
export type { ArrayTensor, DeviceTensor, Tensor } from './tensor.ts';

/**
 * onnxruntime on one device, through its C API. Everything that is made with it belongs to it, and all lengthy calls
 * are made on a thread of its own. No address of native memory leaves this folder.
 */
export class NativeDevice {
  readonly #context: Context;
  readonly #append: AppendProvider;
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
    releaseAtExit(this);
  }

  /** A tensor in an array, whose elements may change between runs. */
  array(host: HostTensor): ArrayTensor {
    return new ArrayTensor(this.#context, host);
  }

  /** A tensor on the device. Throws a NativeFailure if there is not enough memory. */
  allocate(type: TensorType): DeviceTensor {
    return DeviceTensor.allocate(this.#context, type);
  }

  /** Opens a model. Throws a NativeFailure. */
  async open(model: Uint8Array, options: NativeSessionOptions = {}): Promise<NativeSession> {
    const handle = await openNativeSession(this.#context, model, options, this.#append);
    try {
      const session = new NativeSession(this.#context, handle, () => this.#sessions.delete(session));
      this.#sessions.add(session);
      return session;
    } catch (error) {
      handle.release();
      throw error;
    }
  }

  /** Waits for runs in progress, and releases everything that was made with the device. */
  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.release()));
    // A session may still be opening.
    await this.#context.thread.end();
    this.#context.environment.release();
    open.delete(this);
  }

  /** Stops what runs, and releases everything at once, when the process ends. */
  releaseNow(): void {
    for (const session of this.#sessions) session.cancel();
    // An operator that goes on for longer would only be waited for.
    if (this.#context.thread.closeNow(10_000)) this.#context.environment.release();
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
  const allocator = pointerFrom((out) => native.call('CreateAllocator', session.pointer, memory.pointer, out));
  return {
    ...base,
    hostMemory,
    deviceMemory: memory,
    running: new Set(),
    allocator: new Handle(native, { kind: 'an allocator', by: 'ReleaseAllocator', owner: session }, allocator),
    inHostMemory,
  };
}

/** OrtAllocatorType and OrtMemType of memory for tensors. */
const [ARENA_ALLOCATOR, DEFAULT_MEMORY] = [1, 0];

function memoryInfo(native: Native, owner: Handle, name: 'Cpu' | 'Cuda'): Handle {
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
