// A contender for locks: takes the lock of each folder that it is sent, replies held or busy, and unlocks on 'release'.
import { lockRun } from '../../../dist/runtime/training/run-lock.js';

let unlock;
process.on('message', async (message) => {
  if (message === 'release') {
    await unlock?.();
    unlock = undefined;
    process.send('released');
    return;
  }
  unlock = await lockRun(message).catch(() => undefined);
  process.send(unlock ? 'held' : 'busy');
});
process.send('ready');
