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

/** Whether this process runs crobc's TypeScript sources, as the tests do, and not what was built from them. */
export const runsFromSources = import.meta.url.endsWith('.ts');

/** The folder of what `npm run build` makes of the sources: the bundle's files. */
export function builtFolder(): string {
  return join(packageRoot(), 'dist', 'bin');
}

export function packageVersion(): string {
  return packageJson().version;
}

/** The command that installs a package which crobc runs with, and does not bring: one of its peers. */
export function installPeer(name: string): string {
  return `npm install --ignore-scripts ${name}@${packageJson().peerDependencies[name]}`;
}

interface PackageJson {
  readonly version: string;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

function packageJson(): PackageJson {
  return JSON.parse(readTextSync(join(packageRoot(), 'package.json'), 'record'));
}
