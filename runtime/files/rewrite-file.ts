import { access, constants, realpath, stat } from 'node:fs/promises';
import { AtomicFile } from './atomic-file.ts';
import { fileError } from './file-error.ts';

/**
 * Gives a file another text and leaves all else: a link goes on pointing at it, and permissions and owner stay. Whole or not at
 * all, as ever. Throws a UserError.
 */
export async function rewriteFile(path: string, text: string): Promise<void> {
  let target: string;
  let held: Awaited<ReturnType<typeof stat>>;
  try {
    target = await realpath(path);
    held = await stat(target);
    // A rename needs no leave of the file itself.
    await access(target, constants.W_OK);
  } catch (error) {
    throw fileError('write', path, error);
  }
  const file = await AtomicFile.open(target);
  await file.write(text);
  await file.resemble(held);
  await file.commit();
}
