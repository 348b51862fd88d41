// Bundles TypeScript files of this repository in their current state into `out/`, for scripts, benchmarks and tests
// that need more than the package's entry points export. Imported files of this repository are bundled; packages are
// loaded unbundled.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Bundles a file and returns the bundle's path. Several processes may bundle the same file. */
export async function bundleSource(entry) {
  const { output } = await build({
    input: join(root, entry),
    platform: 'node',
    external: (id) => /^[^./]/.test(id) && id !== 'chevrotain',
    resolve: { alias: { chevrotain: join(root, 'node_modules/chevrotain/lib/chevrotain.mjs') } },
    output: { format: 'esm', codeSplitting: false },
    write: false,
    logLevel: 'warn',
  });
  const file = join(root, 'out', `${basename(entry, '.ts')}.mjs`);
  const temporary = `${file}.${process.pid}`;
  mkdirSync(join(root, 'out'), { recursive: true });
  writeFileSync(temporary, output[0].code);
  renameSync(temporary, file);
  return file;
}

/** Returns the exports of a file. */
export async function importSource(entry) {
  return import(pathToFileURL(await bundleSource(entry)).href);
}
