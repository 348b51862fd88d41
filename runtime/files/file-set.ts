import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AtomicFile, asideName, isAbandoned, type WrittenFile } from './atomic-file.ts';
import { fileError } from './file-error.ts';
import { UserError } from './user-error.ts';

/**
 * A set of files in a folder that belong together, such as a model, its weights and its manifest: all of them are
 * replaced, or none. They are first written to temporary files. `commit` removes the old files in reverse order of the
 * names and then renames the new ones in order. So if a name exists, all names before it in the list exist and are of
 * the same set.
 */
export class FileSet {
  readonly #folder: string;
  readonly #names: readonly string[];
  readonly #files = new Map<string, AtomicFile>();
  #swept: Promise<void> | undefined;

  /** `names` are all possible names of the set, in order; those that are not written do not exist after `commit`. */
  constructor(folder: string, names: readonly string[]) {
    this.#folder = folder;
    this.#names = names;
  }

  /** Opens a file of the set, which `commit` renames. Throws a UserError. */
  async open(name: string): Promise<AtomicFile> {
    if (!this.#names.includes(name)) throw new Error(`bug in crobc: ${name} is none of ${this.#names.join(', ')}`);
    // Before anything is written, because files left behind by a killed build may fill the disk.
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

  /** Replaces the old set by the new one. On failure, restores the old set and throws a UserError. */
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
          // Another process may have removed it in the meantime.
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
    // Old files that a killed commit had moved aside are obsolete now.
    await this.#sweep('old');
  }

  /** Discards the new files; has no effect after `commit` or a second time. */
  async abort(): Promise<void> {
    for (const file of this.#files.values()) await file.abort();
  }

  /** Removes temporary files that killed writers of this set left behind. */
  async #sweep(ending: 'part' | 'old'): Promise<void> {
    for (const entry of await readdir(this.#folder).catch(() => []))
      if (await isAbandoned(this.#folder, entry, this.#names, ending))
        await rm(join(this.#folder, entry), { force: true }).catch(() => undefined);
  }

  /**
   * Returns the existing files of the set. Throws a UserError if a folder has the
   * name of a new file; ignores other folders.
   */
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

/** Writes files that belong together, in the order of the map: all of them or none. Throws a UserError. */
export async function writeFileSet(folder: string, contents: ReadonlyMap<string, Uint8Array | string>): Promise<void> {
  const set = new FileSet(folder, [...contents.keys()]);
  try {
    for (const [name, content] of contents) await set.write(name, content);
    await set.commit();
  } finally {
    await set.abort();
  }
}
