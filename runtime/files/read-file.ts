import { readSync, type Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { FileError, fileError } from './file-error.ts';
import { type FileKind, openFile, sizeFault, withFileSync } from './open-file.ts';

/** Maximum number of bytes per read. */
const PART = 1 << 26;

/** Reads a whole file. Throws a FileError, as all functions here do. */
export async function readBytes(path: string, kind: FileKind): Promise<Buffer> {
  const { handle, stats } = await openFile(path, kind);
  try {
    // One byte more than the size, so that the first read also finds the end of the file.
    let bytes = Buffer.allocUnsafeSlow(stats.size + 1);
    let at = 0;
    for (;;) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(bytes.length - at, PART), at);
      if (bytesRead === 0) return bytes.subarray(0, at);
      at += bytesRead;
      if (at === bytes.length) bytes = grown(path, bytes, kind);
    }
  } catch (error) {
    throw fileError('read', path, error);
  } finally {
    await handle.close();
  }
}

export function readBytesSync(path: string, kind: FileKind): Buffer {
  return withFileSync(path, kind, (descriptor, stats) => {
    let bytes = Buffer.allocUnsafeSlow(stats.size + 1);
    let at = 0;
    for (;;) {
      const count = readSync(descriptor, bytes, at, Math.min(bytes.length - at, PART), at);
      if (count === 0) return bytes.subarray(0, at);
      at += count;
      if (at === bytes.length) bytes = grown(path, bytes, kind);
    }
  });
}

/** Enlarges the buffer for a file that is larger than its reported size: it grew, or is in /proc, where sizes are 0. */
function grown(path: string, bytes: Buffer, kind: FileKind): Buffer<ArrayBuffer> {
  refuseLarger(path, bytes.length, kind);
  const larger = Buffer.allocUnsafeSlow(2 * bytes.length + 4096);
  bytes.copy(larger);
  return larger;
}

function refuseLarger(path: string, size: number, kind: FileKind): void {
  const fault = sizeFault(size, kind);
  if (fault !== undefined) throw new FileError('read', path, fault, undefined);
}

/** Reads a file as text; invalid UTF-8 becomes U+FFFD. */
export async function readText(path: string, kind: FileKind): Promise<string> {
  return (await readBytes(path, kind)).toString('utf8');
}

export function readTextSync(path: string, kind: FileKind): string {
  return readBytesSync(path, kind).toString('utf8');
}

/** Reads a file as text; invalid UTF-8 is an error. */
export async function readUtf8(path: string, kind: FileKind): Promise<string> {
  const bytes = await readBytes(path, kind);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new FileError('read', path, 'it is not UTF-8 text', undefined);
  }
}

/** Reads the first `count` bytes of a file, or all if it is shorter; also returns its stats. */
export function readStartSync(path: string, kind: FileKind, count: number): { bytes: Buffer; stats: Stats } {
  return withFileSync(path, kind, (descriptor, stats) => {
    const bytes = Buffer.alloc(count);
    return { bytes: bytes.subarray(0, readSync(descriptor, bytes, 0, count, 0)), stats };
  });
}

/** Yields a file in parts; each is a new buffer of at most `size` bytes. */
export async function* readParts(path: string, kind: FileKind, size: number): AsyncGenerator<Buffer, void, undefined> {
  const { handle } = await openFile(path, kind);
  try {
    for (let at = 0; ; ) {
      const part = await readPart(handle, path, at, size);
      if (part.length === 0) return;
      at += part.length;
      refuseLarger(path, at, kind);
      yield part;
    }
  } finally {
    await handle.close();
  }
}

async function readPart(handle: FileHandle, path: string, at: number, size: number): Promise<Buffer> {
  try {
    const part = Buffer.allocUnsafeSlow(size);
    const { bytesRead } = await handle.read(part, 0, size, at);
    return part.subarray(0, bytesRead);
  } catch (error) {
    throw fileError('read', path, error);
  }
}
