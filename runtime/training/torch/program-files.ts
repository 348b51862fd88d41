import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { aerialVocabulary } from '../../data/tokenizer-file.ts';
import { packageRoot } from '../../files/package-root.ts';
import { readTextSync } from '../../files/read-file.ts';

/** A file of a generated package, by its path in it. */
export interface ProgramFile {
  readonly name: string;
  readonly text: string;
}

/** The folder of a generated package with the modules that are the same for every model. */
export const trainingFolder = 'training';

/**
 * Returns the files that train a generated model and are the same for every model: `train.py`, `training/*.py`, and the
 * vocabulary for data sets without one.
 */
export function programFiles(): readonly ProgramFile[] {
  const folder = join(packageRoot(), 'runtime', 'torch');
  const modules = readdirSync(join(folder, trainingFolder)).filter((name) => name.endsWith('.py'));
  const programs = ['train.py', ...modules.sort().map((name) => `${trainingFolder}/${name}`)].map((name) => ({
    name,
    text: readTextSync(join(folder, name), 'source'),
  }));
  const vocabulary = aerialVocabulary();
  const name = `${trainingFolder}/${basename(vocabulary)}`;
  return [...programs, { name, text: readTextSync(vocabulary, 'vocabulary') }];
}
