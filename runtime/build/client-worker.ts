import { parentPort } from 'node:worker_threads';
import { generateClient } from '../../compiler/emit/client/generate.ts';
import type { ClientInfo } from '../../compiler/emit/client/info.ts';

// Imported before it is needed: loading is most of the work.
const loaded = import('ts-morph');
parentPort!.once('message', async (info: ClientInfo) => {
  await loaded;
  parentPort!.postMessage(await generateClient(info));
});
