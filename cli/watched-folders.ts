import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSearched } from '../runtime/files/crob-files.ts';

/** A watched folder; another folder of the same path has another number. */
interface Watched {
  readonly watcher: FSWatcher;
  readonly inode: number;
}

/**
 * Watches folders, not files, because editors replace files; a change below a folder is only a reason to look at
 * the files again.
 */
export class WatchedFolders {
  readonly #watched = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;
  /** Whether something changed since the last call of `change`. */
  #isChanged = false;
  #wake = () => {};

  /** Resolves after changes since the last call; changes that follow each other closely are one. */
  change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        if (!this.#isChanged) return;
        this.#isChanged = false;
        resolve();
      };
      this.#wake();
    });
  }

  /**
   * Watches the folders of these paths instead of the former ones: of a folder, all below it that are searched for .crob
   * files; of a file, the one that contains it; of a path that does not exist, the closest that does.
   */
  watch(paths: readonly string[]): void {
    const wanted = new Map(paths.flatMap(foldersOf).map((folder) => [folder, inodeOf(folder)]));
    for (const [folder, { watcher, inode }] of this.#watched) {
      if (wanted.get(folder) === inode) continue;
      watcher.close();
      this.#watched.delete(folder);
    }
    for (const [folder, inode] of wanted)
      if (inode !== undefined && !this.#watched.has(folder)) this.#add(folder, inode);
  }

  #add(folder: string, inode: number): void {
    const watcher = watch(folder, () => this.#notice());
    // On some systems, a folder that is removed is an error of its watcher.
    watcher.on('error', () => this.#notice());
    this.#watched.set(folder, { watcher, inode });
    // What appeared in the folder before it was watched.
    this.#notice();
  }

  #notice(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isChanged = true;
      this.#wake();
    }, settleTime);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }
}

/** Milliseconds without another change after which files are read: a program may write a file in several steps. */
const settleTime = 20;

function foldersOf(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return below(path);
  const parent = dirname(path);
  return statSync(parent, { throwIfNoEntry: false })?.isDirectory() || parent === path ? [parent] : foldersOf(parent);
}

/** Returns a folder and all below it that a search for .crob files looks at. */
function below(folder: string): string[] {
  const entries = entriesOf(folder).filter((entry) => entry.isDirectory() && isSearched(entry.name));
  return [folder, ...entries.flatMap(({ name }) => below(join(folder, name)))];
}

/** Returns what is in a folder; nothing if it was removed meanwhile. */
function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function inodeOf(folder: string): number | undefined {
  return statSync(folder, { throwIfNoEntry: false })?.ino;
}
