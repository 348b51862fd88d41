import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTextSync } from './read-file.ts';

let root: string | undefined;

/** Returns the root folder of this package, from the built files as well as from the sources. */
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

/** Whether this process runs crobc's TypeScript sources, as the tests do, instead of the build. */
export const runsFromSources = import.meta.url.endsWith('.ts');

/** Returns the folder of the bundle that `npm run build` creates. */
export function builtFolder(): string {
  return join(packageRoot(), 'dist', 'bin');
}

export function packageVersion(): string {
  return packageJson().version;
}

/** Returns the command that installs an optional peer dependency of crobc. */
export function installPeer(name: string): string {
  return `npm install --ignore-scripts ${name}@${peerVersion(name)}`;
}

/** Returns the exact version of an optional peer dependency that crobc is made for. */
export function peerVersion(name: string): string {
  const version = packageJson().peerDependencies[name];
  if (version === undefined) throw new Error(`bug in crobc: ${name} is no peer dependency`);
  return version;
}

interface PackageJson {
  readonly version: string;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

function packageJson(): PackageJson {
  return JSON.parse(readTextSync(join(packageRoot(), 'package.json'), 'record'));
}
