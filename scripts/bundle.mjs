// Part of the build: `dist/bin/crobc.js`, the program in few files. A check reads some two hundred modules, and finding and opening
// that many takes Node.js a tenth of a second. Commands stay chunks of their own, loaded when they run; packages stay outside.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
rmSync(join(dist, 'bin'), { recursive: true, force: true });
await build({
  input: { crobc: join(dist, 'cli/main.js') },
  platform: 'node',
  // What is no path is a package, or comes with Node.js.
  external: (id) => /^[^./]/.test(id),
  output: { dir: join(dist, 'bin'), format: 'esm', chunkFileNames: '[name].js' },
  logLevel: 'warn',
});
