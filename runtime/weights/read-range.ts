import type { FileHandle } from 'node:fs/promises';
import { UserError } from '../files/user-error.ts';

/** Maximum number of bytes per read. */
const READ_BYTES = 1 << 26;

/** Reads `length` bytes at `start`. Throws a UserError, without the file's name, if the file ends before. */
export async function readRange(handle: FileHandle, start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  // Of its own, and not filled with zeros: all of it is read.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(length - at, READ_BYTES), start + at);
    if (bytesRead === 0) throw new UserError('the file became shorter while it was read');
    at += bytesRead;
  }
  return bytes;
}
