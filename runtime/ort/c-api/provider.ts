import { dirname, join } from 'node:path';
import type { CallThread } from './call-thread.ts';
import { type Capture, pointerFrom } from './context.ts';
import type { Handle } from './handle.ts';
import { type Native, NativeFailure } from './native.ts';
import type { AppendProvider } from './session.ts';

/** An execution provider with its settings. */
export type Provider =
  | {
      readonly device: 'cpu';
      /** For tests: copies all arrays to other memory and back, as for a device that does not use arrays. */
      readonly staged?: boolean;
      /** For tests: runs a model so often where CUDA's provider would capture a run. */
      readonly firstRuns?: number;
    }
  | {
      readonly device: 'cuda';
      /** Whether products of f32 matrices may round their factors to 10 bits of mantissa (TF32), which is faster. */
      readonly tf32: boolean;
    };

/** Readies a provider for sessions. Throws a NativeFailure. */
export async function prepareProvider(
  {
    native,
    thread,
    environment,
  }: { readonly native: Native; readonly thread: CallThread; readonly environment: Handle },
  provider: Provider,
): Promise<AppendProvider> {
  switch (provider.device) {
    case 'cpu':
      return () => undefined;
    case 'cuda': {
      const append: AppendProvider = (to, options, { captures }) =>
        appendCuda(to, options, cudaSettings({ ...provider, captures }));
      // The provider's own copies between the memory of this process and the device are only found once it is
      // registered.
      const library = join(dirname(native.path), 'libonnxruntime_providers_cuda.so');
      await thread.call('RegisterExecutionProviderLibrary', environment.pointer, 'crobc.cuda', library).catch(known);
      return append;
    }
  }
}

/** All environments of a process are one, so an open device has registered the library for the next one as well. */
function known(error: unknown): void {
  if (!(error instanceof NativeFailure && /already registered/.test(error.message))) throw error;
}

/** Settings of CUDA's provider (onnxruntime's CUDAExecutionProvider page). */
export function cudaSettings({
  tf32,
  captures,
}: {
  readonly tf32: boolean;
  /** Whether runs may be captured as CUDA graphs. */
  readonly captures: boolean;
}): Readonly<Record<string, string>> {
  return {
    device_id: '0',
    use_tf32: tf32 ? '1' : '0',
    enable_cuda_graph: captures ? '1' : '0',
    // Training allocates its state once: blocks of twice the size would remain half empty.
    arena_extend_strategy: 'kSameAsRequested',
  };
}

/** All settings go in one call: each call of UpdateCUDAProviderOptions resets the others. */
function appendCuda(native: Native, options: bigint, settings: Readonly<Record<string, string>>): void {
  const cuda = pointerFrom((out) => native.call('CreateCUDAProviderOptions', out));
  try {
    const [keys, values] = [Object.keys(settings), Object.values(settings)];
    native.call('UpdateCUDAProviderOptions', cuda, keys, values, keys.length);
    native.call('SessionOptionsAppendExecutionProvider_CUDA_V2', options, cuda);
  } finally {
    native.release('ReleaseCUDAProviderOptions', cuda);
  }
}

/** How the device of a provider captures runs. */
export function captureOf(provider: Provider): Capture | undefined {
  switch (provider.device) {
    case 'cpu': {
      const { firstRuns } = provider;
      return firstRuns === undefined ? undefined : { provider: 'CPUExecutionProvider', firstRuns };
    }
    case 'cuda':
      return { provider: 'CUDAExecutionProvider', firstRuns: 1 };
  }
}
