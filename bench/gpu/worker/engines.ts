import type { Engine } from '../../../runtime/ort/engine.ts';
import { loadKoffi } from '../../../runtime/ort/load-koffi.ts';
import { openEngine } from '../../../runtime/ort/open-engine.ts';
import { readyCuda } from '../../../runtime/ort/ready-cuda.ts';
import type { Device } from '../../../runtime/ort/session.ts';
import type { Precision } from './job.ts';

/** Why a case is not measured, which is no failure of the device: further cases can use it. */
export class Refused extends Error {}

/**
 * The engine in use: starting CUDA takes seconds, and a process registers CUDA's provider once at a time. Cases that
 * round to TF32 alike follow each other.
 */
let current: { readonly device: Device; readonly tf32: boolean; readonly engine: Promise<Engine> } | undefined;

/** An engine as a case asks for it. Throws an Error of one line if it would run something else. */
export async function engineFor(
  device: Device,
  { precision, graph }: { readonly precision: Precision; readonly graph: boolean },
): Promise<Engine> {
  if (device !== 'cuda' && precision === 'tf32') throw new Refused('TF32 is a precision of CUDA');
  if (graph && device !== 'cuda') throw new Refused('CUDA graphs are of CUDA');
  const tf32 = precision !== 'f32';
  if (current?.device !== device || current.tf32 !== tf32) {
    await releaseEngine();
    current = { device, tf32, engine: opened(device, tf32) };
  }
  return current.engine;
}

/** An engine that the caller releases, and no further case uses. */
export async function ownEngine(device: Device, precision: Precision): Promise<Engine> {
  const engine = await engineFor(device, { precision, graph: false });
  current = undefined;
  return engine;
}

export async function releaseEngine(): Promise<void> {
  const engine = await current?.engine.catch(() => undefined);
  current = undefined;
  await engine?.release();
}

async function opened(device: Device, tf32: boolean): Promise<Engine> {
  // Without koffi, and with a note on how CUDA runs, figures would be those of another way of running.
  const koffi = loadKoffi();
  if ('missing' in koffi) throw new Error(koffi.missing);
  if (device === 'cuda' && readyCuda() === undefined) throw new Error('this machine has no NVIDIA driver');
  const engine = await openEngine(device, { tf32 });
  if (device !== 'cuda' || engine.note === undefined) return engine;
  await engine.release();
  throw new Error(engine.note);
}
