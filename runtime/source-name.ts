import { dirname, relative, sep } from 'node:path';
import { settingsFile } from '../compiler/elaborate/source/settings-source.ts';

/**
 * What artifacts call a source file: its path from the folder of `root`, the file that was asked for. So a build is the same
 * from whatever folder it is made, and by whatever path. Library files and `--set` go by their own names.
 */
export function sourceName(file: string, root: string): string {
  if (file.startsWith('std/') || file === settingsFile) return file;
  return relative(dirname(root), file).replaceAll(sep, '/');
}
