// Bundles TypeScript files of this repository in their current state into `out/`, for scripts, benchmarks and tests
// that need more than the package's entry points export. Imported files of this repository are bundled; packages are
// loaded unbundled.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'rolldown';
import { threads } from './threads.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const out = join(root, 'out');
const settings = {
  platform: 'node',
  external: (id) => /^[^./]/.test(id) && id !== 'chevrotain',
  resolve: { alias: { chevrotain: join(root, 'node_modules/chevrotain/lib/chevrotain.mjs') } },
  write: false,
  logLevel: 'warn',
};

/**
 * Bundles a file, and the threads that it may start, and returns the bundle's path. Several processes may bundle the
 * same file.
 */
export async function bundleSource(entry) {
  const { output } = await build({
    ...settings,
    input: join(root, entry),
    output: { format: 'esm', codeSplitting: false },
  });
  if (output[0].moduleIds.some((id) => id.endsWith('/runtime/process/own-thread.ts'))) await bundleThreads();
  const file = join(out, `${basename(entry, '.ts')}.mjs`);
  write(file, output[0].code);
  return file;
}

/** Bundles the modules that run on threads of their own, for `startThread`. */
async function bundleThreads() {
  const { output } = await build({
    ...settings,
    input: Object.fromEntries(Object.entries(threads).map(([name, path]) => [name, join(root, path)])),
    output: { format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
  });
  // Those that the others import come first.
  for (const { fileName, code } of output.toSorted((one, other) => one.isEntry - other.isEntry))
    write(join(out, 'threads', fileName), code);
}

/** Whoever reads the file gets all of it. */
function write(file, code) {
  const temporary = `${file}.${process.pid}`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(temporary, code);
  renameSync(temporary, file);
}

/** Returns the exports of a file. */
export async function importSource(entry) {
  return import(pathToFileURL(await bundleSource(entry)).href);
}
