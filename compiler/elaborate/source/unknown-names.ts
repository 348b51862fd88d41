import { foreignName } from '../../../grammar/foreign.ts';
import { didYouMean } from './did-you-mean.ts';
import type { FileScope } from './file-scope.ts';

/** What knows the library: `Program`. */
interface Library {
  /** The file of the library that declares a name. */
  libraryFileOf(name: string): string | undefined;
}

/**
 * What may help with a name that nothing has declared: the `use` line, where another file of the library has just this name;
 * what crob has instead, where PyTorch has it; else the nearest of the names that are visible.
 */
export function unknownNameHelp(
  library: Library,
  file: FileScope,
  name: string,
  visible: Iterable<string>,
): string | undefined {
  return importHelp(library, file, name) ?? foreignName(name, 'x') ?? didYouMean(name, visible);
}

/** The line that brings a name of the library in. */
export function importHelp(library: Library, file: FileScope, name: string): string | undefined {
  if (file.lookup(name)) return undefined;
  const path = library.libraryFileOf(name);
  if (path === undefined || path === file.file) return undefined;
  return `the library has it: \`use ${path.replace(/\.crob$/, '').replaceAll('/', '.')}.{${name}}\``;
}
