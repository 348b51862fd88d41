import { foreignName } from '../../../grammar/foreign.ts';
import { didYouMean } from './did-you-mean.ts';
import type { FileScope } from './file-scope.ts';

/** The interface of `Program` to look up library names. */
interface Library {
  /** Returns the library file that declares a name. */
  libraryFileOf(name: string): string | undefined;
}

/**
 * Returns help for an undeclared name: the `use` line, if a library file declares it; the crob counterpart, if
 * PyTorch has it; otherwise the nearest visible name.
 */
export function unknownNameHelp(
  library: Library,
  file: FileScope,
  name: string,
  visible: Iterable<string>,
): string | undefined {
  return importHelp(library, file, name) ?? foreignName(name, 'x') ?? didYouMean(name, visible);
}

/** Returns the `use` line that imports a name of the library. */
export function importHelp(library: Library, file: FileScope, name: string): string | undefined {
  if (file.lookup(name)) return undefined;
  const path = library.libraryFileOf(name);
  if (path === undefined || path === file.file) return undefined;
  return `the library has it: \`use ${path.replace(/\.crob$/, '').replaceAll('/', '.')}.{${name}}\``;
}
