import { dirname, join } from 'node:path';
import type { CallThread } from './call-thread.ts';
import { pointerFrom } from './context.ts';
import type { Handle } from './handle.ts';
import type { Native } from './native.ts';
import type { AppendProvider } from './session.ts';

/** An execution provider with its settings. */
export type Provider =
  | { readonly device: 'cpu' }
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
      const append = cudaAppender(cudaSettings(provider));
      // The provider's own copies between the memory of this process and the device are only found once it is
      // registered.
      const library = join(dirname(native.path), 'libonnxruntime_providers_cuda.so');
      await thread.call('RegisterExecutionProviderLibrary', environment.pointer, 'crobc.cuda', library);
      return append;
    }
  }
}

/** Settings of CUDA's provider (onnxruntime's CUDAExecutionProvider page). */
export function cudaSettings({ tf32 }: Extract<Provider, { device: 'cuda' }>): Readonly<Record<string, string>> {
  return {
    device_id: '0',
    use_tf32: tf32 ? '1' : '0',
    // Training allocates its state once: blocks of twice the size would remain half empty.
    arena_extend_strategy: 'kSameAsRequested',
  };
}

/** All settings go in one call: each call of UpdateCUDAProviderOptions resets the others. */
function cudaAppender(settings: Readonly<Record<string, string>>): AppendProvider {
  return (native, options) => {
    const cuda = pointerFrom((out) => native.call('CreateCUDAProviderOptions', out));
    try {
      const [keys, values] = [Object.keys(settings), Object.values(settings)];
      native.call('UpdateCUDAProviderOptions', cuda, keys, values, keys.length);
      native.call('SessionOptionsAppendExecutionProvider_CUDA_V2', options, cuda);
    } finally {
      native.release('ReleaseCUDAProviderOptions', cuda);
    }
  };
}
