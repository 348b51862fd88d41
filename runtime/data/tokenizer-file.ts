import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../files/package-root.ts';

/** The aerial vocabulary that ships with crobc. */
export function aerialVocabulary(): string {
  return join(packageRoot(), 'models', 'vocab', 'aerial.txt');
}

/**
 * Returns the vocabulary file of a data set if a command is given none: the data set's own `vocab.txt`, else the aerial
 * vocabulary that ships with crobc. Training and evaluation must split phrases alike, so both call this function.
 */
export async function tokenizerFile(dir: string): Promise<string> {
  const own = join(dir, 'vocab.txt');
  return stat(own).then(() => own, aerialVocabulary);
}
