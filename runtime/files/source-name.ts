import { dirname, relative, sep } from 'node:path';
import { settingsFile } from '../../compiler/elaborate/source/settings-source.ts';
import { isShipped } from './source-host.ts';

/**
 * What artifacts call a source file: its path from the folder of `root`, the file that was asked for. So a build is the same
 * from whatever folder it is made, and by whatever path. Library files, shipped models that others use, and `--set` go by
 * their own names.
 */
export function sourceName(file: string, root: string): string {
  if (file === settingsFile || (isShipped(file) && dirname(file) !== dirname(root))) return file;
  return relative(dirname(root), file).replaceAll(sep, '/');
}
