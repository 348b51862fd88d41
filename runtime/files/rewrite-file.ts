import { access, constants, realpath, stat } from 'node:fs/promises';
import { AtomicFile } from './atomic-file.ts';
import { fileError } from './file-error.ts';

/**
 * Replaces the text of a file atomically. A symbolic link still points to it, and permissions and owner are kept.
 * Throws a UserError.
 */
export async function rewriteFile(path: string, text: string): Promise<void> {
  let target: string;
  let held: Awaited<ReturnType<typeof stat>>;
  try {
    target = await realpath(path);
    held = await stat(target);
    // Checked here because a rename does not require write permission for the file.
    await access(target, constants.W_OK);
  } catch (error) {
    throw fileError('write', path, error);
  }
  const file = await AtomicFile.open(target);
  await file.write(text);
  await file.resemble(held);
  await file.commit();
}
