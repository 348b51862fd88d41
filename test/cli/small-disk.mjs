// Loaded in front of crobc (`node --import`): a disk with so many bytes left for whatever is written. No mount is needed, and
// the errors are what the system would say.
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

let left = Number(process.env.SMALL_DISK);
const { open } = fs;

fs.open = async (path, flags, ...rest) => {
  const handle = await open(path, flags, ...rest);
  if (typeof flags !== 'string' || !/[wa+]/.test(flags)) return handle;
  const write = handle.write.bind(handle);
  handle.write = async (bytes, offset, length, ...more) => {
    if (left === 0 && length > 0) {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
    }
    const some = Math.min(length, left);
    left -= some;
    return await write(bytes, offset, some, ...more);
  };
  return handle;
};
syncBuiltinESMExports();
