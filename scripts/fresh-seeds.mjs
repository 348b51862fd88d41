// npm run test:fresh-seeds [-- --seed 123] [-- FILES]: runs the randomised tests with another seed than CI's. If they
// fail, prints the command that repeats them with this seed.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
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
const isLong = (name) => existsSync(join(root, name)) && readFileSync(join(root, name), 'utf8').startsWith('// long: ');
let status = 0;
for (const [config, these] of [
  ['vitest.config.ts', files.filter((name) => !isLong(name))],
  ['vitest.long.config.ts', files.filter(isLong)],
]) {
  if (these.length === 0) continue;
  const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', config, ...these];
  const env = { ...process.env, CROBC_TEST_SEED: seed };
  const code = spawnSync(process.execPath, vitest, { cwd: root, env, stdio: 'inherit' }).status ?? 1;
  if (code !== 0) status = code;
}
if (status !== 0)
  console.error(`to run these again: npm run test:fresh-seeds -- --seed ${seed} ${positionals.join(' ')}`.trimEnd());
process.exitCode = status;
