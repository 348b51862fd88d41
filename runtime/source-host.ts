import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { SourceHost } from '../compiler/compile.ts';
import type { SourceFile } from '../grammar/tree.ts';
import { packageRoot } from './package-root.ts';

/** The library's syntax trees as the build wrote them; there are none when crobc runs from its sources. */
let trees: Readonly<Record<string, SourceFile>> | undefined;

function libraryTrees(): Readonly<Record<string, SourceFile>> {
  if (trees === undefined) {
    const file = new URL('../library.json', import.meta.url);
    trees = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, SourceFile>>) : {};
  }
  return trees;
}

/** Largest source file read: what is larger is no source. */
const sizeLimit = 4 * 1024 * 1024;

/**
 * Sources on disk. `use std.x` is the library's `x.crob`; `use a.b` is `a/b.crob` beside the file that uses it.
 * Files go by the path they were asked for, library files by `std/x.crob`, so that messages and hashes do not
 * depend on where things are installed.
 */
export function diskHost(): SourceHost {
  const library = join(packageRoot(), 'stdlib');
  const onDisk = (path: string) => (path.startsWith('std/') ? join(library, path.slice(4)) : path);
  return {
    prelude: 'std/prelude.crob',
    read(path) {
      try {
        const file = onDisk(path);
        const stat = statSync(file);
        if (!stat.isFile() || stat.size > sizeLimit) return undefined;
        return readFileSync(file, 'utf8');
      } catch {
        return undefined;
      }
    },
    parsed(path, text) {
      const tree = path.startsWith('std/') ? libraryTrees()[path] : undefined;
      return tree?.text === text ? { tree, faults: [] } : undefined;
    },
    resolve(from, path) {
      const [first, ...rest] = path;
      if (first === 'std') return `std/${rest.join('/')}.crob`;
      return join(dirname(from), `${path.join('/')}.crob`);
    },
  };
}

/** A path as messages show it: relative to the working folder where that is shorter. */
export function shownPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.length < path.length && !short.startsWith('..') ? short : path;
}
