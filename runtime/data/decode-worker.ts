import { parentPort } from 'node:worker_threads';
import sharp from 'sharp';
import { UserError } from '../files/user-error.ts';
import { type DecodedSample, type DecodeRequest, decodeSample } from './decode.ts';

/** A request of a decoder to this thread; `undefined` ends the thread after all earlier requests are answered. */
export type WorkerRequest = { readonly id: number; readonly request: DecodeRequest } | undefined;

export type WorkerAnswer =
  | ({ readonly id: number } & DecodedSample)
  | { readonly id: number; readonly fault: string; readonly user: boolean };

if (!parentPort) throw new Error('bug in crobc: the decoding thread was started as a program');
const port = parentPort;

// The threads decode several images in parallel; parallel work within one image would not help.
sharp.concurrency(1);
sharp.cache(false);

port.on('message', (message: WorkerRequest) => {
  // Without a listener the thread ends after its current work. Terminating it during decoding could crash sharp.
  if (message === undefined) port.close();
  else void answer(message.id, message.request);
});

async function answer(id: number, request: DecodeRequest): Promise<void> {
  try {
    const { image, target, notes } = await decodeSample(request);
    const message: WorkerAnswer = { id, image, target, notes };
    port.postMessage(message, [image.buffer as ArrayBuffer, target.buffer as ArrayBuffer]);
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    const message: WorkerAnswer = { id, fault, user: error instanceof UserError };
    port.postMessage(message);
  }
}
