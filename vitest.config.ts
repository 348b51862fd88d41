import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const files = readdirSync(new URL('test', import.meta.url), { recursive: true, encoding: 'utf8' })
  .map((name) => `test/${name.replaceAll('\\', '/')}`)
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => ({ file, text: readFileSync(new URL(file, import.meta.url), 'utf8') }));
const those = (is: (text: string) => boolean) => files.filter(({ text }) => is(text)).map(({ file }) => file);

/** A test file that begins with `// slow: ` and what takes the time is left out of `npm run test:fast`. */
const slow = those((text) => text.startsWith('// slow: '));
/** A test file that begins with `// long: ` is run by `npm run test:long` alone. */
export const long = those((text) => text.startsWith('// long: '));
/** What replaces modules does so for its whole process. */
const mocking = those((text) => /\bvi\.(mock|doMock)\(/.test(text) && !/^\/\/ (slow|long): /.test(text));

export default defineConfig({
  // The package's entry pulls in several hundred small files; this is the same code in one.
  resolve: {
    alias: { chevrotain: fileURLToPath(new URL('node_modules/chevrotain/lib/chevrotain.mjs', import.meta.url)) },
  },
  test: {
    // For what hangs, on the slowest of machines.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    pool: 'forks',
    maxWorkers: 2,
    coverage: {
      include: ['grammar', 'compiler', 'runtime', 'api', 'cli'].map((folder) => `${folder}/**/*.ts`),
      reporter: ['text-summary', 'html'],
    },
    // In this order, so that what is fast has failed by then.
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: [...slow, ...long, ...mocking],
          // One process for many files, as loading the compiler takes longer than most of them.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'mocking', include: mocking, sequence: { groupOrder: 1 } } },
      { extends: true, test: { name: 'slow', include: slow, sequence: { groupOrder: 2 } } },
    ],
  },
});
