import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { SourceHost } from '../../compiler/compile.ts';
import type { SourceFile } from '../../grammar/tree.ts';
import { FileError } from './file-error.ts';
import { packageRoot, runsFromSources } from './package-root.ts';
import { readBytesSync, readTextSync } from './read-file.ts';

/** The library's syntax trees as the build wrote them; there are none when crobc runs from its sources. */
interface Library {
  readonly trees: Readonly<Record<string, SourceFile>>;
  /** When they were written, in milliseconds. */
  readonly written: number;
}

let library: Library | undefined;

function libraryTrees(): Library {
  if (library === undefined) {
    const file = join(packageRoot(), 'dist', 'library.json');
    library =
      !runsFromSources && existsSync(file)
        ? { trees: JSON.parse(readBytesSync(file, 'record').toString('latin1')), written: statSync(file).mtimeMs }
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

/** What ships with crobc: the prefix of each folder's files in messages, and the folder below the package. */
const shipped = [
  { prefix: 'std/', folder: 'stdlib', first: 'std' },
  { prefix: 'crobc/models/', folder: 'models', first: 'models' },
] as const;

/** Where a file that ships with crobc is on disk; undefined for a path of any other file. */
function shippedFile(path: string): string | undefined {
  const found = shipped.find(({ prefix }) => path.startsWith(prefix));
  return found && join(packageRoot(), found.folder, path.slice(found.prefix.length));
}

/** Whether a source's path is a shipped file's, which is read from the package. */
export function isShipped(path: string): boolean {
  return shippedFile(path) !== undefined;
}

/**
 * The path by which a file that a user names is read. A shipped model goes by `models/crobim.crob` or
 * `crobc/models/crobim.crob` where there is no such file in the working folder; a folder of one's own may be called
 * `std` or `crobc`.
 */
export function ownPath(path: string): string {
  const plain = normalize(path);
  const asShipped = plain.startsWith('models/') ? `crobc/${plain}` : plain;
  if (asShipped.startsWith('crobc/models/') && !existsSync(path) && existsSync(shippedFile(asShipped)!))
    return asShipped;
  return isShipped(path) ? `./${path}` : path;
}

/** The line for a source that cannot be read. */
export function cannotRead(path: string): string {
  const read = readSource(path);
  return `cannot read ${path}: ${typeof read === 'string' ? 'it changed meanwhile' : read.reason}`;
}

/** A source's text, or why it cannot be read. */
export function readSource(path: string): string | FileError {
  try {
    return readTextSync(path, 'source');
  } catch (error) {
    if (error instanceof FileError) return error;
    throw error;
  }
}

/** Where `use a.b` of a file points: `a/b.crob` beside it, or a file that ships with crobc. */
function resolved(from: string, path: readonly string[]): string {
  const [first, ...rest] = path;
  if (first === 'std') return `std/${rest.join('/')}.crob`;
  const beside = join(dirname(from), `${path.join('/')}.crob`);
  if (isShipped(from)) return beside;
  const own = isShipped(beside) ? `./${beside}` : beside;
  if (first !== 'models' || rest.length === 0 || existsSync(own)) return own;
  const model = `crobc/models/${rest.join('/')}.crob`;
  return existsSync(shippedFile(model)!) ? model : own;
}

/** `std.backbone`, `models.crobim`: what a `use` can name anywhere. */
function shippedUses(): readonly string[] {
  return shipped.flatMap(({ folder, first }) =>
    readdirSync(join(packageRoot(), folder))
      .filter((name) => name.endsWith('.crob'))
      .map((name) => `${first}.${name.slice(0, -'.crob'.length)}`)
      .sort(),
  );
}

/**
 * Sources on disk. `use std.x` is the library's `x.crob`; `use a.b` is `a/b.crob` beside the file that uses it, and
 * `use models.x` the shipped model file `x.crob` where there is no `models/x.crob` beside it.
 * Files go by the path they were asked for (`ownPath`), library files by `std/x.crob` and shipped models by
 * `crobc/models/x.crob`, so that messages and hashes do not depend on where things are installed.
 */
export function diskHost(): SourceHost {
  return {
    prelude: 'std/prelude.crob',
    library: () =>
      readdirSync(join(packageRoot(), 'stdlib'))
        .filter((name) => name.endsWith('.crob'))
        .sort()
        .map((name) => `std/${name}`),
    read(path) {
      const file = shippedFile(path) ?? path;
      const built = path.startsWith('std/') ? builtText(path, file) : undefined;
      if (built !== undefined) return built;
      const text = readSource(file);
      return typeof text === 'string' ? text : undefined;
    },
    parsed(path, text) {
      const tree = path.startsWith('std/') ? libraryTrees().trees[path] : undefined;
      return tree?.text === text ? { tree, faults: [] } : undefined;
    },
    resolve: resolved,
    shipped: shippedUses,
  };
}
