import { generateClient } from '../../compiler/emit/client/generate.ts';
import type { ClientInfo } from '../../compiler/emit/client/info.ts';
import { runsFromSources } from '../files/package-root.ts';
import { startThread } from '../process/own-thread.ts';

/** Generates typed clients. */
export interface ClientWriter {
  /** The client's source, once. */
  write(info: ClientInfo): Promise<string>;
  /** Stops it, whether it has written or not. */
  close(): Promise<void>;
}

/**
 * Loads what generates the client on a thread of its own: the TypeScript compiler that ts-morph brings takes half a second,
 * in which a graph is optimised. Where crobc runs from its sources, the client is generated on this thread.
 */
export function startClientWriter(): ClientWriter {
  if (runsFromSources) return { write: generateClient, close: async () => undefined };
  const worker = startThread('client-worker');
  // An error before the client is asked for is reported when it is.
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
