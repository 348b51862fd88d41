import { readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { SourceHost } from '../compiler/compile.ts';
import { packageRoot } from './package-root.ts';

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
