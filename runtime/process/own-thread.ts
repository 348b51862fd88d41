import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { builtFolder, runsFromSources } from '../files/package-root.ts';

/** Modules of crobc that run on their own threads, as in `scripts/threads.mjs`: a bundle has a file for each. */
export const ownThreads = {
  'decode-worker': 'data/decode-worker.ts',
  'client-worker': 'build/client-worker.ts',
  'call-worker': 'ort/c-api/call-worker.mjs',
  'model-worker': 'serve/model-worker.ts',
  'picture-worker': 'serve/picture-worker.ts',
} as const;

export type OwnThread = keyof typeof ownThreads;

/**
 * Whether `startThread` works here for modules in TypeScript. From the sources, Node.js must support TypeScript, which
 * it does from 22.18 on; test runners translate TypeScript only for their own threads.
 */
export function hasThreads(): boolean {
  return !runsFromSources || 'typescript' in process.features;
}

/**
 * Starts a thread with one of crobc's own modules: from its source, from the build, or from a bundle that
 * `scripts/bundle-source.mjs` made. The thread finds `data` in its `workerData`.
 */
export function startThread(name: OwnThread, data: Readonly<Record<string, unknown>> = {}): Worker {
  // Some flags of this process, such as --input-type, are not valid for a thread.
  const options = { execArgv: [], workerData: { ...data, bundle: `${name}.cjs` } };
  if (runsFromSources) return new Worker(new URL(`../${ownThreads[name]}`, import.meta.url), options);
  const here = fileURLToPath(new URL('.', import.meta.url));
  const bundled = join(here, 'threads', `${name}.mjs`);
  return new Worker(existsSync(bundled) ? bundled : join(builtFolder(), 'thread.cjs'), options);
}
