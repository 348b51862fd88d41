import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, normalize, sep } from 'node:path';
import type { SourceHost } from '../../compiler/compile.ts';
import type { SourceFile } from '../../grammar/tree.ts';
import { FileError } from './file-error.ts';
import { packageRoot, runsFromSources } from './package-root.ts';
import { readBytesSync, readTextSync } from './read-file.ts';

/** The syntax tree of a library file that the build wrote. */
interface BuiltTree {
  readonly tree: SourceFile;
  /** Modification time of the file with the tree, in milliseconds. */
  readonly written: number;
}

/** By path: a check reads only the trees of the files that it needs. */
const builtTrees = new Map<string, BuiltTree | undefined>();

/** Returns the tree of a library file; undefined if crobc runs from its sources, or if the build had no such file. */
function builtTree(path: string): BuiltTree | undefined {
  if (!builtTrees.has(path)) builtTrees.set(path, runsFromSources ? undefined : readTree(path));
  return builtTrees.get(path);
}

function readTree(path: string): BuiltTree | undefined {
  const file = join(packageRoot(), 'dist', 'library', `${basename(path, '.crob')}.json`);
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat && { tree: JSON.parse(readBytesSync(file, 'record').toString('latin1')), written: stat.mtimeMs };
}

/** Returns a library file's text from its syntax tree, unless the file was changed after the tree was written. */
function builtText(path: string, file: string): string | undefined {
  const built = builtTree(path);
  const stat = built && statSync(file, { throwIfNoEntry: false });
  return stat && stat.mtimeMs <= built.written ? built.tree.text : undefined;
}

/**
 * The folders that ship with crobc: prefix of their files in messages, folder in the package, first name in a `use`.
 */
const shipped = [
  { prefix: 'std/', folder: 'stdlib', first: 'std' },
  { prefix: 'crobc/models/', folder: 'models', first: 'models' },
] as const;

/** Returns the path on disk of a file that ships with crobc; undefined for other files. */
export function shippedFile(path: string): string | undefined {
  const found = shipped.find(({ prefix }) => path.startsWith(prefix));
  return found && join(packageRoot(), found.folder, path.slice(found.prefix.length));
}

/** Whether a source path refers to a file that ships with crobc. */
export function isShipped(path: string): boolean {
  return shippedFile(path) !== undefined;
}

/**
 * Returns the path by which a file that the user names is read. `models/crobim.crob` and `crobc/models/crobim.crob`
 * refer to the shipped model unless the working folder has such a file. The user's own folders may be called `std` or
 * `crobc`.
 */
export function ownPath(path: string): string {
  const plain = normalize(path);
  const asShipped = plain.startsWith('models/') ? `crobc/${plain}` : plain;
  if (asShipped.startsWith('crobc/models/') && !existsSync(path) && existsSync(shippedFile(asShipped)!))
    return asShipped;
  return isShipped(path) ? `./${path}` : path;
}

/**
 * Returns the path on disk of trained weights that the user names: `models/trained/…` are those that ship with crobc,
 * unless the working folder has such a file.
 */
export function ownWeights(path: string): string {
  return shippedFile(ownPath(path)) ?? path;
}

/** The message for a source that cannot be read. */
export function cannotRead(path: string): string {
  const read = readSource(path);
  return `cannot read ${path}: ${typeof read === 'string' ? 'it changed meanwhile' : read.reason}`;
}

/** Returns a source's text, or the error if it cannot be read. */
export function readSource(path: string): string | FileError {
  try {
    return readTextSync(path, 'source');
  } catch (error) {
    if (error instanceof FileError) return error;
    throw error;
  }
}

/**
 * Returns the path that `use a.b` in a file refers to: `a/b.crob` beside the file, or a file that ships with crobc.
 * `exists` tells whether there is a file of the user's own.
 */
export function resolved(exists: (path: string) => boolean, from: string, path: readonly string[]): string {
  const [first, ...rest] = path;
  if (first === 'std') return `std/${rest.join('/')}.crob`;
  const beside = join(dirname(from), `${path.join('/')}.crob`);
  if (isShipped(from)) return beside;
  const own = isShipped(beside) ? `./${beside}` : beside;
  if (first !== 'models' || rest.length === 0 || exists(own)) return own;
  const model = `crobc/models/${rest.join('/')}.crob`;
  return existsSync(shippedFile(model)!) ? model : own;
}

/** Names that a `use` in any file can refer to: `std.backbone`, `models.crobim`, `models.rivals.lavt`. */
function shippedUses(): readonly string[] {
  return shipped.flatMap(({ folder, first }) =>
    readdirSync(join(packageRoot(), folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.crob'))
      .map((name) => `${first}.${name.slice(0, -'.crob'.length).replaceAll(sep, '.')}`)
      .sort(),
  );
}

/**
 * The source files on disk. `use std.x` is the library's `x.crob`; `use a.b` is `a/b.crob` beside the file with the
 * `use`; `use models.x` is the shipped model file `x.crob` unless there is a `models/x.crob` beside the file. Paths are
 * those that the user gave (`ownPath`), `std/x.crob` for library files and `crobc/models/x.crob` for shipped models, so
 * that messages and hashes do not depend on where crobc is installed.
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
      const tree = path.startsWith('std/') ? builtTree(path)?.tree : undefined;
      return tree?.text === text ? { tree, faults: [] } : undefined;
    },
    resolve: (from, path) => resolved(existsSync, from, path),
    shipped: shippedUses,
  };
}
