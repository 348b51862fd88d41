import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { builtFolder, runsFromSources } from '../files/package-root.ts';

/** Modules of crobc that run on threads of their own. `scripts/bundle.mjs` makes a file of each. */
export const ownThreads = {
  'decode-worker': 'data/decode-worker.ts',
  'client-worker': 'build/client-worker.ts',
} as const;

export type OwnThread = keyof typeof ownThreads;

/**
 * Whether `startThread` can run here. From the sources, Node.js has to read TypeScript by itself, which it does from 22.18
 * on; test runners translate TypeScript for their own threads only.
 */
export function hasThreads(): boolean {
  return !runsFromSources || 'typescript' in process.features;
}

/** Starts a thread that runs one of crobc's own modules: from the bundle where crobc is built, else from its source. */
export function startThread(name: OwnThread): Worker {
  // Flags of this process, such as --input-type, may not fit another program.
  if (runsFromSources) return new Worker(new URL(`../${ownThreads[name]}`, import.meta.url), { execArgv: [] });
  return new Worker(join(builtFolder(), 'thread.cjs'), { execArgv: [], workerData: `${name}.cjs` });
}
