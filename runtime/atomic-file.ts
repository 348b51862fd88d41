import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileError } from './file-error.ts';

let opened = 0;

/**
 * A file that appears under its name complete or not at all: written beside it, flushed, then renamed.
 * A reader never sees half a file, and a crash leaves the old one as it was.
 */
export class AtomicFile {
  readonly path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  #open = true;

  private constructor(path: string, temporary: string, handle: FileHandle) {
    this.path = path;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  /** Throws a UserError where the folder is missing or cannot be written. */
  static async open(path: string): Promise<AtomicFile> {
    // Hidden, in the same folder (a rename must not cross file systems), and never another writer's.
    const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${opened++}.part`);
    try {
      return new AtomicFile(path, temporary, await open(temporary, 'wx'));
    } catch (error) {
      throw fileError('write', path, error);
    }
  }

  /** Appends; on failure the temporary file is gone when the UserError arrives. */
  async write(chunk: Uint8Array | string): Promise<void> {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    try {
      let at = 0;
      while (at < bytes.length) {
        // At most 1 GiB a call: the system takes no more than 2^31 - 4096 bytes at once.
        const { bytesWritten } = await this.#handle.write(bytes, at, Math.min(bytes.length - at, 2 ** 30));
        at += bytesWritten;
      }
    } catch (error) {
      await this.abort();
      throw fileError('write', this.path, error);
    }
  }

  /** Flushes to disk and takes the name. */
  async commit(): Promise<void> {
    try {
      await this.#handle.sync();
      await this.#close();
      await rename(this.#temporary, this.path);
    } catch (error) {
      await this.abort();
      throw fileError('write', this.path, error);
    }
  }

  /** Leaves nothing behind; harmless after commit or a second time. */
  async abort(): Promise<void> {
    await this.#close().catch(() => undefined);
    await rm(this.#temporary, { force: true }).catch(() => undefined);
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#handle.close();
  }
}

/** Writes the whole file, or leaves what was there; throws a UserError. */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  const file = await AtomicFile.open(path);
  await file.write(data);
  await file.commit();
}
