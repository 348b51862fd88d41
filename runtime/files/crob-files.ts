import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from './file-error.ts';
import { isShipped, ownPath } from './source-host.ts';

/** Names of folders that a search leaves out. */
export const skipped: ReadonlySet<string> = new Set(['node_modules', 'dist', '.git']);

/** Whether a search looks into a folder of this name. */
export function isSearched(name: string): boolean {
  return !skipped.has(name) && !name.startsWith('.');
}

export interface FoundFiles {
  /** Sorted, without duplicates. */
  readonly files: readonly string[];
  /** Paths without a readable .crob file, each with a message. */
  readonly unusable: ReadonlyMap<string, string>;
}

/** Returns the .crob files among the given files and folders; without arguments, those below the working folder. */
export function crobFiles(given: readonly string[]): FoundFiles {
  const files = new Set<string>();
  const unusable = new Map<string, string>();
  for (const path of given.length > 0 ? given : ['.']) {
    const own = ownPath(path);
    if (isShipped(own)) {
      files.add(own);
      continue;
    }
    try {
      const found = statSync(path).isDirectory() ? below(path) : [path];
      if (found.length === 0) unusable.set(path, `there are no .crob files in ${path}`);
      for (const file of found) files.add(ownPath(file));
    } catch (error) {
      unusable.set(path, `cannot read ${path}: ${reasonOf(error)}`);
    }
  }
  return { files: [...files].sort(), unusable };
}

function below(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return isSearched(entry.name) ? below(path) : [];
    return entry.isFile() && entry.name.endsWith('.crob') ? [path] : [];
  });
}
