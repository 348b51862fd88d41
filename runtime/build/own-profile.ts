import { type Target, targets } from '../../compiler/emit/onnx/profile.ts';
import { chooseDevice, type Device } from '../ort/session.ts';

/** What crobc's own sessions are emitted for. Only `cuda` is known to pay: it launches fewer kernels. */
export function profileOn(device: Device): Target {
  return device === 'cuda' ? 'cuda' : 'portable';
}

/** The device that a session will choose. */
export async function deviceFor(asked: Device | 'auto' | undefined): Promise<Device> {
  return (await chooseDevice(asked ?? 'auto')).device;
}

/** The targets whose builds run on a device as they were meant to, the one for crobc's own sessions first. */
export function targetsOn(device: Device): readonly Target[] {
  return [...new Set([profileOn(device), device])];
}

/** The targets whose builds would be taken elsewhere. */
export function targetsElsewhere(device: Device): readonly Target[] {
  const own = targetsOn(device);
  return targets.filter((target) => target !== 'portable' && !own.includes(target));
}

/** Says that a build is for another device than it runs on, after "this build is"; undefined if it is not. */
export function builtElsewhere(target: Target, device: Device): string | undefined {
  if (target === 'portable' || target === device) return undefined;
  return `for ${target} (build --for), and this runs on ${device}`;
}
