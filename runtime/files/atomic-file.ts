import { createHash, type Hash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { type FileHandle, lstat, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileError } from './file-error.ts';
import { createFile } from './open-file.ts';

let opened = 0;

/** A name beside `path`, hidden and never another writer's; in the same folder, as a rename must not cross file systems. */
export function asideName(path: string, ending: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}-${opened++}.${ending}`);
}

/** In another container processes have other numbers: what was not touched for so long has nobody. In milliseconds. */
const abandonedAfter = 10 * 60_000;

/** Whether a file of a folder is what a writer of one of the names put aside, who was killed. */
export async function isAbandoned(
  folder: string,
  entry: string,
  names: readonly string[],
  ending: string,
): Promise<boolean> {
  const parts = /^\.(.+)\.(\d+)-\d+\.(\w+)$/.exec(entry);
  if (!parts || parts[3] !== ending || !names.includes(parts[1]!) || isAlive(Number(parts[2]))) return false;
  const there = await lstat(join(folder, entry)).catch(() => undefined);
  // Of the last write, or the renaming.
  return there?.isFile() === true && Date.now() - there.ctimeMs > abandonedAfter;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

export interface WrittenFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * A file that appears under its name complete or not at all: written beside it, flushed, then renamed.
 * A reader never sees half a file, and a crash leaves the old one as it was.
 */
export class AtomicFile {
  readonly path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  readonly #hash: Hash | undefined;
  #bytes = 0;
  #open = true;

  private constructor(path: string, temporary: string, handle: FileHandle, hash: Hash | undefined) {
    this.path = path;
    this.#temporary = temporary;
    this.#handle = handle;
    this.#hash = hash;
  }

  /** With `hashed`, `written` will tell what was written. Throws a UserError where the folder is missing or cannot be written. */
  static async open(path: string, { hashed = false } = {}): Promise<AtomicFile> {
    const temporary = asideName(path, 'part');
    const handle = await createFile(temporary, path);
    return new AtomicFile(path, temporary, handle, hashed ? createHash('sha256') : undefined);
  }

  /** How many bytes were written so far. */
  get bytes(): number {
    return this.#bytes;
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
    this.#hash?.update(bytes);
    this.#bytes += bytes.length;
  }

  /** Takes on another file's permissions, and its owner where that is allowed. */
  async resemble({ mode, uid, gid }: Pick<Stats, 'mode' | 'uid' | 'gid'>): Promise<void> {
    try {
      await this.#handle.chown(uid, gid).catch(() => undefined);
      await this.#handle.chmod(mode & 0o7777);
    } catch (error) {
      await this.abort();
      throw fileError('write', this.path, error);
    }
  }

  /** Flushes to disk, under the temporary name still; nothing can be written any more. */
  async flush(): Promise<void> {
    try {
      await this.#handle.sync();
      await this.#close();
    } catch (error) {
      await this.abort();
      throw fileError('write', this.path, error);
    }
  }

  /** Takes the name, once flushed. */
  async takeName(): Promise<void> {
    try {
      await rename(this.#temporary, this.path);
    } catch (error) {
      await this.abort();
      throw fileError('write', this.path, error);
    }
  }

  /** Flushes and takes the name. */
  async commit(): Promise<void> {
    await this.flush();
    await this.takeName();
  }

  /** Once all is written. */
  written(): WrittenFile {
    if (this.#hash === undefined) throw new Error(`bug in crobc: ${this.path} was not hashed`);
    return { path: this.path, bytes: this.#bytes, sha256: this.#hash.copy().digest('hex') };
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
