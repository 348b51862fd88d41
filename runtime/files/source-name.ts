import { dirname, relative, sep } from 'node:path';
import { settingsFile } from '../../compiler/elaborate/source/settings-source.ts';
import { isShipped } from './source-host.ts';

/**
 * Returns the name of a source file in build artifacts: its path relative to the folder of `root`, the file that the
 * user named. So a build does not depend on the working folder or on how the path is written. Library files, shipped
 * models that other files use, and `--set` keep their own names.
 */
export function sourceName(file: string, root: string): string {
  if (file === settingsFile || (isShipped(file) && dirname(file) !== dirname(root))) return file;
  return relative(dirname(root), file).replaceAll(sep, '/');
}
