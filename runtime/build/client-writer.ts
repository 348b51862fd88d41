import { generateClient } from '../../compiler/emit/client/generate.ts';
import type { ClientInfo } from '../../compiler/emit/client/info.ts';
import { runsFromSources } from '../files/package-root.ts';
import { startThread } from '../process/own-thread.ts';

/** Generates typed clients. */
export interface ClientWriter {
  /** Returns the client's source; call it only once. */
  write(info: ClientInfo): Promise<string>;
  /** Stops the writer, also if it has not written anything. */
  close(): Promise<void>;
}

/**
 * Starts a thread that loads the client generator: ts-morph contains the TypeScript compiler and takes half a second to
 * load, while this thread optimises the graph. If crobc runs from its sources, the client is generated on this thread.
 */
export function startClientWriter(): ClientWriter {
  if (runsFromSources) return { write: generateClient, close: async () => undefined };
  const worker = startThread('client-worker');
  // An error before `write` is reported by `write`.
  const failed = new Promise<never>((_resolve, reject) => worker.once('error', reject));
  failed.catch(() => undefined);
  return {
    write(info) {
      const written = new Promise<string>((resolve) => worker.once('message', resolve));
      worker.postMessage(info);
      return Promise.race([written, failed]);
    },
    async close() {
      await worker.terminate();
    },
  };
}
