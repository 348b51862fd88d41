import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../files/package-root.ts';

/**
 * Returns the vocabulary file for a data set: the given one, else the data set's own `vocab.txt`, else the aerial
 * vocabulary that ships with crobc. Training and evaluation must split phrases alike, so both call this function.
 */
export async function tokenizerFile(dir: string, wanted: string | undefined): Promise<string> {
  if (wanted !== undefined) return wanted;
  const own = join(dir, 'vocab.txt');
  return stat(own).then(
    () => own,
    () => join(packageRoot(), 'models', 'vocab', 'aerial.txt'),
  );
}
