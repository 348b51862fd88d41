import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SourceHost } from '../compiler/compile.ts';

const library = fileURLToPath(new URL('../stdlib/', import.meta.url));
const read = new Map<string, string | undefined>();

/** Sources by name, with the real library below `std/`. `use a.b` is `a/b.crob` whoever says it. */
export function memoryHost(files: Readonly<Record<string, string>>): SourceHost {
  return {
    prelude: 'std/prelude.crob',
    library: () =>
      readdirSync(library)
        .sort()
        .map((name) => `std/${name}`),
    read: (path) => files[path] ?? (path.startsWith('std/') ? libraryFile(path) : undefined),
    resolve: (_from, path) => `${path.join('/')}.crob`,
  };
}

function libraryFile(path: string): string | undefined {
  if (!read.has(path))
    read.set(
      path,
      orUndefined(() => readFileSync(library + path.slice('std/'.length), 'utf8')),
    );
  return read.get(path);
}

function orUndefined<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
