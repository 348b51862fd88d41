import { type Target, targets } from '../../compiler/emit/onnx/profile.ts';
import type { Precision } from '../../compiler/passes/pipeline.ts';
import { chooseDevice, type Device } from '../ort/session.ts';

/**
 * What crobc's own sessions are emitted for. Only `cuda` is known to pay: it launches fewer kernels. In half precision it
 * has more operators than the portable form, as attention and norms keep theirs.
 */
export function profileOn(device: Device, dtype: Precision): Target {
  return device === 'cuda' && dtype === 'f32' ? 'cuda' : 'portable';
}

/** The device that a session will choose. */
export async function deviceFor(asked: Device | 'auto' | undefined): Promise<Device> {
  return (await chooseDevice(asked ?? 'auto')).device;
}

/** The targets whose builds run on a device as they were meant to, the one for crobc's own sessions first. */
export function targetsOn(device: Device, dtype: Precision): readonly Target[] {
  return [...new Set([profileOn(device, dtype), device])];
}

/** The targets whose builds would be taken elsewhere. */
export function targetsElsewhere(device: Device, dtype: Precision): readonly Target[] {
  const own = targetsOn(device, dtype);
  return targets.filter((target) => target !== 'portable' && !own.includes(target));
}

/** Says that a build is for another device than it runs on, after "this build is"; undefined if it is not. */
export function builtElsewhere(target: Target, device: Device): string | undefined {
  if (target === 'portable' || target === device) return undefined;
  return `for ${target} (build --for), and this runs on ${device}`;
}
