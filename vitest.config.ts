import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The package's entry pulls in several hundred small files; this is the same code in one.
  resolve: {
    alias: { chevrotain: fileURLToPath(new URL('node_modules/chevrotain/lib/chevrotain.mjs', import.meta.url)) },
  },
  test: {
    include: ['test/**/*.test.ts'],
    // For what hangs, on the slowest of machines.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
