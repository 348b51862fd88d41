// Last part of the build: runs a check, which stores V8's compiled code for later runs.
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
