import { foreignName } from '../../../grammar/foreign.ts';
import { didYouMean } from './did-you-mean.ts';
import type { FileScope, Program } from './program.ts';

/**
 * What may help with a name that nothing has declared: the `use` line, where another file of the library has just this name;
 * what crob has instead, where PyTorch has it; else the nearest of the names that are visible.
 */
export function unknownNameHelp(
  program: Program,
  file: FileScope,
  name: string,
  visible: Iterable<string>,
): string | undefined {
  return importHelp(program, file, name) ?? foreignName(name, 'x') ?? didYouMean(name, visible);
}

/** The line that brings a name of the library in. */
export function importHelp(program: Program, file: FileScope, name: string): string | undefined {
  if (file.lookup(name)) return undefined;
  const path = program.libraryFileOf(name);
  if (path === undefined || path === file.file) return undefined;
  return `the library has it: \`use ${path.replace(/\.crob$/, '').replaceAll('/', '.')}.{${name}}\``;
}
