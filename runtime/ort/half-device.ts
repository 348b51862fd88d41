import type { Precision } from '../../compiler/passes/pipeline.ts';
import { UserError } from '../files/user-error.ts';
import { chooseDevice, type Device } from './session.ts';

/** Throws a UserError if a model in bf16 would run on a device for which onnxruntime 1.30 has no kernels of bfloat16. */
export async function requireDeviceFor(dtype: Precision, device: Device | 'auto' | undefined): Promise<void> {
  if (dtype !== 'bf16') return;
  const { device: chosen } = await chooseDevice(device ?? 'auto');
  if (chosen === 'cuda') return;
  throw new UserError(
    `a model in bf16 runs on CUDA alone, and the device is ${chosen}: onnxruntime has no kernels of bfloat16 there; --dtype f32 and f16 run on it`,
  );
}
