import { openFile } from '../files/open-file.ts';
import { openNativeSession } from './native-session.ts';
import { loadOnnxRuntime, missingProvider, openNodeSession } from './node-session.ts';
import { hasNvidiaDriver } from './nvidia-driver.ts';
import { type Device, joined, type Session, type SessionOptions } from './session-types.ts';

export { nativeMessage, RunFailure } from './failures.ts';
export { halfSettings } from './half-settings.ts';
export type { Feeds, HostTensor, PortType } from './host-tensor.ts';
export { providerAdvice } from './node-session.ts';
export type { Device, PreparedRun, Session, SessionOptions } from './session-types.ts';
export { devices, joined } from './session-types.ts';
export { TINY_MODEL } from './tiny-model.ts';

/**
 * Opens an ONNX model from a path (with its data file beside it) or from bytes: by onnxruntime's C API where koffi is
 * installed, else, and for WebGPU, by onnxruntime-node.
 * Throws a UserError of one line for an invalid model and for a device that is not available.
 */
export async function openSession(
  model: string | Uint8Array,
  options: SessionOptions = {},
  openNative = openNativeSession,
): Promise<Session> {
  const { device = 'auto' } = options;
  // Checks the file first: onnxruntime opens it itself, and would block on a pipe.
  if (typeof model === 'string') await (await openFile(model, 'weights')).handle.close();
  const chosen = await chooseDevice(device);
  const all = { ...options, ...chosen };
  if (chosen.device === 'webgpu') return openNodeSession(model, all);
  const native = await openNative(model, { ...all, device: chosen.device });
  if (!('missing' in native)) return native;
  if (chosen.device === 'cpu') return openNodeSession(model, all);
  const session = await openNodeSession(model, all);
  const rounded = options.tf32 === false ? 'f32 is computed as TF32, and runs are ' : '';
  return { ...session, note: joined([chosen.note, `${rounded}without CUDA graphs, because ${native.missing}`]) };
}

/** Why CUDA does not work in this process: it is tried once, as commands ask several times. */
let missingCuda: Promise<string | undefined> | undefined;

/**
 * Returns the device for a session. With `auto`, the note says that CUDA is used, or why it is not used although there
 * is an NVIDIA GPU; without such a GPU there is no note.
 */
export async function chooseDevice(
  device: Device | 'auto',
  hasGpu: () => boolean = hasNvidiaDriver,
): Promise<{ readonly device: Device; readonly note: string | undefined }> {
  if (device !== 'auto') return { device, note: undefined };
  if (!hasGpu()) return { device: 'cpu', note: undefined };
  missingCuda ??= loadOnnxRuntime().then((ort) => missingProvider(ort, 'cuda'));
  const without = await missingCuda;
  if (without === undefined) return { device: 'cuda', note: 'runs on CUDA' };
  const note = `runs on the CPU, though there is an NVIDIA GPU: ${without} ("crobc doctor" says what CUDA needs)`;
  return { device: 'cpu', note };
}
