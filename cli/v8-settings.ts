import { setFlagsFromString } from 'node:v8';

/**
 * V8's defaults are for long-running programs. A check calls each function a few hundred times, and optimising these
 * functions took as much processor time as the check itself; so the thresholds for optimisation are about ten times the
 * defaults. Longer commands soon reach them. The young heap is small and one thread collects it quickly: with parallel
 * collection, the slowest thread decides, which is slow on shared processors. Most objects of a check live to its end,
 * so the young heap grows to its maximum in one step instead of four, each of which would copy all live objects. The
 * names of these settings depend on V8's major version; other versions keep their defaults.
 */
const settings: Readonly<Record<string, readonly string[]>> = {
  // Node.js 20: bytes of executed bytecode, 132 KiB by default.
  11: ['--interrupt-budget=2000000', '--no-parallel-scavenge', '--semi-space-growth-factor=16'],
  // Node.js 22 and 24: calls of a function, 400 and 3,000 by default.
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

/** The settings for the running V8. */
export function v8Settings(): readonly string[] {
  const [major = ''] = process.versions.v8.split('.');
  return settings[major] ?? [];
}

export function setUpV8(): void {
  for (const setting of v8Settings()) setFlagsFromString(setting);
}
