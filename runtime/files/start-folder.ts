import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FileSet } from './file-set.ts';
import { makeFolder } from './make-folder.ts';
import { packageRoot } from './package-root.ts';
import { readBytes } from './read-file.ts';
import { UserError } from './user-error.ts';

/**
 * Writes the files that a user starts from, those of the package's `start/`, to a folder, which is made where it is not there.
 * Their paths. Throws a UserError where one of them exists already, and then writes none.
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

/** A link to nothing is there, too. */
async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
