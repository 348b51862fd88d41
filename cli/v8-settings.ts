import { setFlagsFromString } from 'node:v8';

/**
 * V8's own numbers are for programs that run long. A check runs each function a few hundred times, and optimising them took as
 * much processor time as the check itself; so a function has to be run about ten times as often first. That is soon over
 * where there is much to do. A young heap is small, and soon cleared by one thread: several are ready only when the last of
 * them is, which is late where processors are shared. What a check makes lives to its end, so that young heap grows to its full
 * size in one step and not in four, each of which would copy all that lives.
 * The names of these settings are V8's, by its major version; another V8 is left as it is.
 */
const settings: Readonly<Record<string, readonly string[]>> = {
  // Node.js 20: bytes of bytecode, 132 KiB by default.
  11: ['--interrupt-budget=2000000', '--no-parallel-scavenge', '--semi-space-growth-factor=16'],
  // 22 and 24: runs of a function, 400 and 3,000 by default.
  12: [
    '--invocation-count-for-maglev=4000',
    '--invocation-count-for-turbofan=30000',
    '--no-parallel-scavenge',
    '--semi-space-growth-factor=16',
  ],
  13: [
    '--invocation-count-for-maglev=4000',
    '--invocation-count-for-turbofan=30000',
    '--no-parallel-scavenge',
    '--semi-space-growth-factor=16',
  ],
};

/** Those of the V8 that runs. */
export function v8Settings(): readonly string[] {
  const [major = ''] = process.versions.v8.split('.');
  return settings[major] ?? [];
}

export function setUpV8(): void {
  for (const setting of v8Settings()) setFlagsFromString(setting);
}
