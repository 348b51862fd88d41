import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SourceHost } from '../compiler/compile.ts';
import type { SourceFile } from '../grammar/tree.ts';
import { reasonOf } from './file-error.ts';
import { packageRoot } from './package-root.ts';

/** The library's syntax trees as the build wrote them; there are none when crobc runs from its sources. */
interface Library {
  readonly trees: Readonly<Record<string, SourceFile>>;
  /** When they were written, in milliseconds. */
  readonly written: number;
}

let library: Library | undefined;

function libraryTrees(): Library {
  if (library === undefined) {
    const file = fileURLToPath(new URL('../library.json', import.meta.url));
    library = existsSync(file)
      ? { trees: JSON.parse(readFileSync(file, 'latin1')), written: statSync(file).mtimeMs }
      : { trees: {}, written: 0 };
  }
  return library;
}

/** A library file's text as it was when its tree was written, unless it was changed since. */
function builtText(path: string, file: string): string | undefined {
  const { trees, written } = libraryTrees();
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat && stat.mtimeMs <= written ? trees[path]?.text : undefined;
}

/** Largest source file read: what is larger is no source. */
const sizeLimit = 4 * 1024 * 1024;

/** A path that a user gives, told apart from a library file's: a folder of one's own may be called `std`. */
export function ownPath(path: string): string {
  return path.startsWith('std/') ? `./${path}` : path;
}

/** Why a source cannot be read; undefined when it can. */
export function whyUnreadable(path: string): string | undefined {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return 'it is a folder';
    if (!stat.isFile()) return 'it is no regular file';
    if (stat.size > sizeLimit) return `it has ${stat.size.toLocaleString('en')} bytes, and a source 4 MiB at most`;
    closeSync(openSync(path, 'r'));
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/**
 * Sources on disk. `use std.x` is the library's `x.crob`; `use a.b` is `a/b.crob` beside the file that uses it.
 * Files go by the path they were asked for (`ownPath`), library files by `std/x.crob`, so that messages and hashes do not
 * depend on where things are installed.
 */
export function diskHost(): SourceHost {
  const library = join(packageRoot(), 'stdlib');
  const onDisk = (path: string) => (path.startsWith('std/') ? join(library, path.slice(4)) : path);
  return {
    prelude: 'std/prelude.crob',
    library: () =>
      readdirSync(library)
        .filter((name) => name.endsWith('.crob'))
        .sort()
        .map((name) => `std/${name}`),
    read(path) {
      const file = onDisk(path);
      const built = path.startsWith('std/') ? builtText(path, file) : undefined;
      return built ?? (whyUnreadable(file) === undefined ? readFileSync(file, 'utf8') : undefined);
    },
    parsed(path, text) {
      const tree = path.startsWith('std/') ? libraryTrees().trees[path] : undefined;
      return tree?.text === text ? { tree, faults: [] } : undefined;
    },
    resolve(from, path) {
      const [first, ...rest] = path;
      if (first === 'std') return `std/${rest.join('/')}.crob`;
      return ownPath(join(dirname(from), `${path.join('/')}.crob`));
    },
  };
}
