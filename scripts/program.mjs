// The path of the built program, which scripts and benchmarks run as a user would. CROBC_MAIN selects another build.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const program = process.env.CROBC_MAIN ?? join(root, 'dist/bin/crobc.cjs');
