import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileError } from './file-error.ts';

/**
 * Makes a folder and those above it that are missing; one that exists is left as it is. Throws a UserError. One folder at
 * a time: `mkdir` with `recursive` never returns in Node 20 where a file system makes none, as below /proc.
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

/** What a system says of a folder that exists differs (EEXIST, for a root also EISDIR, EPERM or EROFS): it is looked at. */
async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const there = await stat(path).catch(() => undefined);
    if (!there?.isDirectory()) throw error;
  }
}
