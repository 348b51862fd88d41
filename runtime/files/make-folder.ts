import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileError } from './file-error.ts';

/**
 * Creates a folder and its missing parents; an existing folder is unchanged. Throws a UserError. Creates one folder at
 * a time: in Node 20, `mkdir` with `recursive` never returns on a file system that cannot create folders, such as
 * /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await make(path);
  } catch (error) {
    throw fileError('write', path, error);
  }
}

async function make(path: string): Promise<void> {
  try {
    await makeOne(path);
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error;
    await make(parent);
    await makeOne(path);
  }
}

/**
 * Systems report an existing folder in different ways (EEXIST; for a root also EISDIR,
 * EPERM or EROFS), so this checks with `stat`.
 */
async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const there = await stat(path).catch(() => undefined);
    if (!there?.isDirectory()) throw error;
  }
}
