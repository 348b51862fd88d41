// npm run test:fresh-seeds [-- --seed 123] [-- FILES]: runs the randomised tests with another seed than CI's. If they
// fail, prints the command that repeats them with this seed.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './program.mjs';

const { values, positionals } = parseArgs({ options: { seed: { type: 'string' } }, allowPositionals: true });
const seed = values.seed ?? String(randomInt(1, 2 ** 31));
if (!/^\d{1,10}$/.test(seed)) {
  console.error(`--seed ${seed}: give a number of at most ten digits`);
  process.exit(2);
}

/** The tests that take their seeds from `test/seed.ts`. */
const drawing = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/${name.replaceAll('\\', '/')}`)
  .filter((name) => /from '(\.\.?\/)+(property|seed)\.ts'/.test(readFileSync(join(root, name), 'utf8')));
const files = positionals.length === 0 ? drawing : positionals;

console.log(`seed ${seed}, ${files.length} ${files.length === 1 ? 'file' : 'files'}`);
const { status } = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...files], {
  cwd: root,
  env: { ...process.env, CROBC_TEST_SEED: seed },
  stdio: 'inherit',
});
if (status !== 0)
  console.error(`to run these again: npm run test:fresh-seeds -- --seed ${seed} ${positionals.join(' ')}`.trimEnd());
process.exitCode = status ?? 1;
