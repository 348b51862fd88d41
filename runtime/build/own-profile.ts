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

/** The targets whose builds are not taken on a device. */
export function targetsElsewhere(device: Device): readonly Target[] {
  const own = targetsOn(device);
  return targets.filter((target) => !own.includes(target));
}

/** What a build is and where it runs, after "the build is". */
function shownElsewhere(target: Target, device: Device): string {
  const what = target === 'portable' ? 'portable, without --for' : `for ${target} (build --for)`;
  return `${what}, and this runs on ${device}`;
}

/** The options of `crobc build` for a build that is taken on a device. */
function optionsFor(device: Device): string {
  const profile = profileOn(device);
  return profile === 'portable' ? 'without --for' : `with --for ${profile}`;
}

/** Says why a build of the same model in the output folder was not taken. */
export function builtAgainNote({
  name,
  out,
  cache,
  target,
  device,
}: {
  readonly name: string;
  readonly out: string;
  readonly cache: string;
  readonly target: Target;
  readonly device: Device;
}): string {
  return `the build in ${out} is ${shownElsewhere(target, device)}: ${name} was built again in ${cache}; the same crobc build ${optionsFor(device)} -o ${out} would be taken`;
}

/** Says that a build runs on a device that it is not in a form for; undefined if it is. */
export function elsewhereNote(target: Target, device: Device): string | undefined {
  if (targetsOn(device).includes(target)) return undefined;
  return `this build is ${shownElsewhere(target, device)}, where it may be slower than the same crobc build ${optionsFor(device)}`;
}
