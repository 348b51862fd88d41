import { totalmem } from 'node:os';

/** Bytes of memory that this process can have: the machine's, or what its container is given. */
export function machineMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
