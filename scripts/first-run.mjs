// The last of the build: a first run keeps what V8 compiled, for all others.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { status } = spawnSync(
  process.execPath,
  [join(root, 'dist/bin/crobc.cjs'), 'check', join(root, 'models/crobim.crob')],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
if (status !== 0) process.exitCode = 1;
