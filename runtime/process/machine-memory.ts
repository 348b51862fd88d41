import { totalmem } from 'node:os';

/** Returns the memory that this process can use in bytes: that of its container, or of the machine. */
export function machineMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
