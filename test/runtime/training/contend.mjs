// A contender for locks, with the bundle of `run-lock.ts` as its argument: takes the lock of each folder that it is sent, replies held or busy, and unlocks on 'release'.
import { pathToFileURL } from 'node:url';

const { lockRun } = await import(pathToFileURL(process.argv[2]).href);

let lock;
process.on('message', async (message) => {
  if (message === 'release') {
    await lock?.release();
    lock = undefined;
    process.send('released');
    return;
  }
  lock = await lockRun(message).catch(() => undefined);
  process.send(lock ? 'held' : 'busy');
});
process.send('ready');
