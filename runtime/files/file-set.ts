import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AtomicFile, asideName, isAbandoned, type WrittenFile } from './atomic-file.ts';
import { fileError } from './file-error.ts';
import { UserError } from './user-error.ts';

/**
 * Files of a folder that belong together, such as a model, its weights and its manifest: all of them appear, or
 * none does and what was there stays. They are written aside first. At `commit` the old ones go, the last name first, and the new
 * ones come, the first name first: whoever sees a name sees everything that stands before it in the list, of the same set.
 */
export class FileSet {
  readonly #folder: string;
  readonly #names: readonly string[];
  readonly #files = new Map<string, AtomicFile>();
  #swept: Promise<void> | undefined;

  /** `names` are all that such a set can have, in order; one that is not written is gone after `commit`. */
  constructor(folder: string, names: readonly string[]) {
    this.#folder = folder;
    this.#names = names;
  }

  /** A file to write to; the set commits it. Throws a UserError. */
  async open(name: string): Promise<AtomicFile> {
    if (!this.#names.includes(name)) throw new Error(`bug in crobc: ${name} is none of ${this.#names.join(', ')}`);
    // Before anything is written: what a killed build left may be what fills the disk.
    this.#swept ??= this.#sweep('part');
    await this.#swept;
    const file = await AtomicFile.open(join(this.#folder, name), { hashed: true });
    this.#files.set(name, file);
    return file;
  }

  /** Writes a whole file. Throws a UserError. */
  async write(name: string, content: Uint8Array | string): Promise<WrittenFile> {
    const file = await this.open(name);
    await file.write(content);
    return file.written();
  }

  /** Replaces the old set by the new one; on failure the old one is there when the UserError arrives. */
  async commit(): Promise<void> {
    const aside: { readonly path: string; readonly held: string }[] = [];
    const taken: string[] = [];
    const inOrder = this.#names.flatMap((name) => this.#files.get(name) ?? []);
    try {
      for (const file of inOrder) await file.flush();
      const old = await this.#replaced();
      for (const path of old.reverse()) {
        const held = asideName(path, 'old');
        try {
          await rename(path, held);
          aside.push({ path, held });
        } catch (error) {
          // Someone else may have taken it away meanwhile.
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileError('write', path, error);
        }
      }
      for (const file of inOrder) {
        await file.takeName();
        taken.push(file.path);
      }
    } catch (error) {
      for (const path of taken.reverse()) await rm(path, { force: true }).catch(() => undefined);
      for (const { path, held } of aside.reverse()) await rename(held, path).catch(() => undefined);
      await this.abort();
      throw error;
    }
    for (const { held } of aside) await rm(held, { force: true }).catch(() => undefined);
    // An old set that a killed commit had taken away is of no use after a new one.
    await this.#sweep('old');
  }

  /** Leaves what was there; harmless after commit or a second time. */
  async abort(): Promise<void> {
    for (const file of this.#files.values()) await file.abort();
  }

  /** Removes what killed writers of such a set left aside. */
  async #sweep(ending: 'part' | 'old'): Promise<void> {
    for (const entry of await readdir(this.#folder).catch(() => []))
      if (await isAbandoned(this.#folder, entry, this.#names, ending))
        await rm(join(this.#folder, entry), { force: true }).catch(() => undefined);
  }

  /** The files of an earlier set. What is no file is in the way of a new one, and none of ours otherwise. */
  async #replaced(): Promise<string[]> {
    const found: string[] = [];
    for (const name of this.#names) {
      const path = join(this.#folder, name);
      const there = await lstat(path).catch(() => undefined);
      if (there?.isDirectory()) {
        if (this.#files.has(name)) throw new UserError(`cannot write ${path}: it is a folder`);
      } else if (there) found.push(path);
    }
    return found;
  }
}

/** Writes files that belong together, by their names and in this order: all, or none. Throws a UserError. */
export async function writeFileSet(folder: string, contents: ReadonlyMap<string, Uint8Array | string>): Promise<void> {
  const set = new FileSet(folder, [...contents.keys()]);
  try {
    for (const [name, content] of contents) await set.write(name, content);
    await set.commit();
  } finally {
    await set.abort();
  }
}
