import type { Engine, EngineSettings } from './engine.ts';
import { openNativeEngine } from './native-engine.ts';
import { openNodeEngine } from './node-engine.ts';
import { chooseDevice, type Device } from './session.ts';

/**
 * Returns the engine for a device: onnxruntime's C API where koffi is installed, else onnxruntime-node, which copies
 * every tensor to CUDA and back at each run. Throws a UserError if the device is not available.
 */
export async function openEngine(
  asked: Device | 'auto',
  settings: EngineSettings = {},
  openNative = openNativeEngine,
): Promise<Engine> {
  const { device, note } = await chooseDevice(asked);
  if (device === 'webgpu') return openNodeEngine(device, note);
  const native = await openNative(device, note, settings);
  if (!('missing' in native)) return native;
  // On the CPU, both compute the same, and take nearly the same time.
  if (device === 'cpu') return openNodeEngine(device, note);
  // onnxruntime-node passes no settings to the provider of CUDA.
  const rounded = settings.tf32 === false ? 'f32 is computed as TF32, and ' : '';
  const slower = `${rounded}all weights cross the bus at each step, because ${native.missing}`;
  return openNodeEngine(device, note === undefined ? slower : `${note}; ${slower}`);
}
