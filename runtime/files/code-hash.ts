import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { builtFolder, packageRoot, runsFromSources } from './package-root.ts';
import { readBytesSync } from './read-file.ts';

let code: string | undefined;

/** Hash of crobc's own code: different versions of it may have other results. */
export function codeHash(): string {
  if (code === undefined) {
    const hash = createHash('sha256');
    for (const file of codeFiles().sort()) hash.update(`${basename(file)}\n`).update(readBytesSync(file, 'record'));
    code = hash.digest('hex');
  }
  return code;
}

/**
 * The sources of the compiler and the runtime; in a built crobc, all files of the bundle,
 * since each may contain parts of them.
 */
function codeFiles(): string[] {
  const files = (folder: string, extension: string) =>
    readdirSync(folder, { recursive: runsFromSources, encoding: 'utf8' })
      .filter((name) => name.endsWith(extension))
      .map((name) => join(folder, name));
  if (!runsFromSources) return files(builtFolder(), '.cjs');
  return ['compiler', 'runtime'].flatMap((folder) => files(join(packageRoot(), folder), '.ts'));
}
