import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { globSync, isDynamicPattern } from 'tinyglobby';
import { reasonOf } from './file-error.ts';
import { isShipped, ownPath } from './source-host.ts';

const skipped = new Set(['node_modules', 'dist', '.git']);

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
      const found = named(path);
      if (found.length === 0)
        unusable.set(
          path,
          isDynamicPattern(path) ? `${path} matches no .crob file` : `there are no .crob files in ${path}`,
        );
      for (const file of found) files.add(ownPath(file));
    } catch (error) {
      unusable.set(path, `cannot read ${path}: ${reasonOf(error)}`);
    }
  }
  return { files: [...files].sort(), unusable };
}

/** Returns the files that an argument names: one file, those below a folder, or those that a pattern matches. */
function named(path: string): string[] {
  if (isDynamicPattern(path) && !existsSync(path)) {
    const ignore = [...skipped].map((name) => `**/${name}/**`);
    return globSync(path, { ignore, expandDirectories: false }).filter((file) => file.endsWith('.crob'));
  }
  return statSync(path).isDirectory() ? below(path) : [path];
}

function below(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) || entry.name.startsWith('.') ? [] : below(path);
    return entry.isFile() && entry.name.endsWith('.crob') ? [path] : [];
  });
}
