import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FileSet } from './file-set.ts';
import { makeFolder } from './make-folder.ts';
import { packageRoot } from './package-root.ts';
import { readBytes } from './read-file.ts';
import { UserError } from './user-error.ts';

/**
 * Writes the package's `start/` files to a folder, which is created if it is missing. Returns their paths. Throws a
 * UserError if one of them already exists, without writing any.
 */
export async function writeStart(folder: string): Promise<readonly string[]> {
  const from = join(packageRoot(), 'start');
  const names = (await readdir(from)).sort();
  await makeFolder(folder);
  const there = await Promise.all(names.map((name) => exists(join(folder, name))));
  const taken = names.filter((_, i) => there[i]);
  if (taken.length > 0)
    throw new UserError(`${folder} has ${taken.join(' and ')} already: name another folder, "crobc init FOLDER"`);
  const set = new FileSet(folder, names);
  try {
    for (const name of names) await set.write(name, await readBytes(join(from, name), 'record'));
    await set.commit();
  } finally {
    await set.abort();
  }
  return names.map((name) => join(folder, name));
}

/** A dangling symbolic link exists as well. */
async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
