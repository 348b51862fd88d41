import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../files/package-root.ts';

/**
 * The vocabulary for a data set: the one that is asked for, else the data set's own `vocab.txt`, else the aerial one that
 * ships with crobc. Training and evaluation must read phrases alike, so both ask here.
 */
export async function tokenizerFile(dir: string, wanted: string | undefined): Promise<string> {
  if (wanted !== undefined) return wanted;
  const own = join(dir, 'vocab.txt');
  return stat(own).then(
    () => own,
    () => join(packageRoot(), 'models', 'vocab', 'aerial.txt'),
  );
}
