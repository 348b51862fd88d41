import { createHash, type Hash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { type FileHandle, lstat, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileError } from './file-error.ts';
import { createFile } from './open-file.ts';

let opened = 0;

/** Returns a hidden, unique name beside `path`: in the same folder, since a rename cannot cross file systems. */
export function asideName(path: string, ending: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}-${opened++}.${ending}`);
}

/**
 * Milliseconds without a change after which a temporary file is abandoned. Needed because
 * process ids differ between containers.
 */
const abandonedAfter = 10 * 60_000;

/** Whether an entry of a folder is a temporary file for one of the names, left behind by a killed writer. */
export async function isAbandoned(
  folder: string,
  entry: string,
  names: readonly string[],
  ending: string,
): Promise<boolean> {
  const parts = /^\.(.+)\.(\d+)-\d+\.(\w+)$/.exec(entry);
  if (!parts || parts[3] !== ending || !names.includes(parts[1]!) || isAlive(Number(parts[2]))) return false;
  const there = await lstat(join(folder, entry)).catch(() => undefined);
  // ctime is the time of the last write or rename.
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
 * A file that appears under its name complete or not at all: it is written beside it, flushed, then renamed.
 * A reader never sees half a file, and after a crash the old file is unchanged.
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

  /**
   * Opens a temporary file; `hashed` is required for `written`. Throws a UserError
   * if the folder is missing or not writable.
   */
  static async open(path: string, { hashed = false } = {}): Promise<AtomicFile> {
    const temporary = asideName(path, 'part');
    const handle = await createFile(temporary, path);
    return new AtomicFile(path, temporary, handle, hashed ? createHash('sha256') : undefined);
  }

  /** Number of bytes written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends. On failure, removes the temporary file and throws a UserError. */
  async write(chunk: Uint8Array | string): Promise<void> {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    try {
      let at = 0;
      while (at < bytes.length) {
        // At most 1 GiB per call: the system writes at most 2^31 - 4096 bytes at once.
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

  /** Copies the permissions of another file, and its owner if allowed. */
  async resemble({ mode, uid, gid }: Pick<Stats, 'mode' | 'uid' | 'gid'>): Promise<void> {
    try {
      await this.#handle.chown(uid, gid).catch(() => undefined);
      await this.#handle.chmod(mode & 0o7777);
    } catch (error) {
      await this.abort();
      throw fileError('write', this.path, error);
    }
  }

  /** Flushes to disk and closes the file, which keeps its temporary name. */
  async flush(): Promise<void> {
    try {
      await this.#handle.sync();
      await this.#close();
    } catch (error) {
      await this.abort();
      throw fileError('write', this.path, error);
    }
  }

  /** Renames the file to its final name; call it after `flush`. */
  async takeName(): Promise<void> {
    try {
      await rename(this.#temporary, this.path);
    } catch (error) {
      await this.abort();
      throw fileError('write', this.path, error);
    }
  }

  /** Flushes and renames. */
  async commit(): Promise<void> {
    await this.flush();
    await this.takeName();
  }

  /** Returns path, size and hash; call it after the last write. */
  written(): WrittenFile {
    if (this.#hash === undefined) throw new Error(`bug in crobc: ${this.path} was not hashed`);
    return { path: this.path, bytes: this.#bytes, sha256: this.#hash.copy().digest('hex') };
  }

  /** Removes the temporary file; has no effect after `commit` or a second time. */
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

/** Writes a whole file atomically. Throws a UserError; the old file is then unchanged. */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  const file = await AtomicFile.open(path);
  await file.write(data);
  await file.commit();
}
