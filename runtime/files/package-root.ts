import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTextSync } from './read-file.ts';

let root: string | undefined;

/** The folder of this package, from the built files and from the sources alike. */
export function packageRoot(): string {
  if (root === undefined) {
    root = dirname(fileURLToPath(import.meta.url));
    while (!existsSync(join(root, 'package.json'))) {
      const up = dirname(root);
      if (up === root) throw new Error('bug in crobc: its package.json is not above its files');
      root = up;
    }
  }
  return root;
}

/** The folder of the code that runs: `dist/` as built, the package itself from the sources. */
export function codeRoot(): string {
  return import.meta.url.endsWith('.ts') ? packageRoot() : join(packageRoot(), 'dist');
}

export function packageVersion(): string {
  return (JSON.parse(readTextSync(join(packageRoot(), 'package.json'), 'record')) as { version: string }).version;
}
