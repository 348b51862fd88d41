// Runs a TypeScript file of `test/` as it is now: node scripts/run-typescript.mjs FILE [arguments]. What it imports of this
// repository is bundled with it into `out/`; packages are loaded as they are.
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const [entry, ...rest] = process.argv.slice(2);
const file = join(root, 'out', `${basename(entry, '.ts')}.mjs`);
await build({
  input: join(root, entry),
  platform: 'node',
  external: (id) => /^[^./]/.test(id) && id !== 'chevrotain',
  resolve: { alias: { chevrotain: join(root, 'node_modules/chevrotain/lib/chevrotain.mjs') } },
  output: { file, format: 'esm', codeSplitting: false },
  logLevel: 'warn',
});
process.argv.splice(1, Infinity, file, ...rest);
await import(pathToFileURL(file).href);
