import { fileError } from '../../files/file-error.ts';
import { openFile } from '../../files/open-file.ts';

/** Random access to the bytes of a file. */
export interface ByteSource {
  /** The name in messages. */
  readonly name: string;
  readonly size: number;
  /** Reads `length` bytes at `offset`; fewer if the file ends before. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The bytes of a file that is in memory. */
export function bytesInMemory(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
    close: () => Promise.resolve(),
  };
}

/** A file that is read in parts and may be larger than memory. Throws a FileError. */
export async function openBytes(path: string): Promise<ByteSource> {
  const { handle, stats } = await openFile(path, 'bytes');
  return {
    name: path,
    size: stats.size,
    async read(offset, length) {
      try {
        const part = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, stats.size - offset)));
        let at = 0;
        while (at < part.length) {
          const { bytesRead } = await handle.read(part, at, part.length - at, offset + at);
          if (bytesRead === 0) break;
          at += bytesRead;
        }
        return part.subarray(0, at);
      } catch (error) {
        throw fileError('read', path, error);
      }
    },
    close: () => handle.close(),
  };
}
