// TypeScript files of this repository as they are now, for scripts, benchmarks and tests that need what no entry point of the
// package has. What a file imports of this repository is bundled with it into `out/`; packages are loaded as they are.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The bundle of a file; several processes may ask for the same one. */
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

/** What a file exports. */
export async function importSource(entry) {
  return import(pathToFileURL(await bundleSource(entry)).href);
}
