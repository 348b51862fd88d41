// Measures `crobc check`: whole processes, with and without the cache, and the passes of `--watch`.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importSource } from '../scripts/bundle-source.mjs';
import { crobc, root, statistics, timed } from './process.mjs';

/** What is checked; the lock file is compared in the last. */
const checks = {
  'crobc check models/crobim.crob': ['models/crobim.crob'],
  'crobc check models': ['models'],
  'crobc check models --lock models/crob.lock': ['models', '--lock', 'models/crob.lock'],
};

/** Returns the times of whole processes, and of passes after a change of each file of `models/`. */
export async function checking({ repeats, say }) {
  say('check: crobc check as a whole process');
  const node = await many(repeats, () => timed(process.execPath, ['-e', '0']));
  const whole = {};
  const folder = mkdtempSync(join(tmpdir(), 'crobc-bench-'));
  for (const [name, args] of Object.entries(checks)) {
    const run = (...more) => timed(process.execPath, [crobc, 'check', ...args, ...more]);
    const without = await many(repeats, run);
    await run('--cache-folder', folder);
    whole[name] = { without, cached: await many(repeats, () => run('--cache-folder', folder)) };
  }
  rmSync(folder, { recursive: true });
  say('check: passes of --watch');
  return { node, whole, passes: await passes(repeats) };
}

async function many(repeats, run) {
  const samples = [];
  for (let i = 0; i < repeats; i++) samples.push((await run()).seconds);
  return statistics(samples);
}

/** After a pass over everything, changes the first declaration of a file, `repeats` times; then the same with the next. */
async function passes(repeats) {
  const { diskHost, nothingChecked, recheck } = await importSource('bench/checking-parts.ts');
  const files = readdirSync(join(root, 'models'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.crob'))
    .map((name) => `models/${name}`)
    .sort();
  const disk = diskHost();
  const results = [];
  const lines = new Map();
  const host = {
    ...disk,
    // At the end of the first declaration, so that it is another one, and all behind it has moved.
    read: (path) => disk.read(path)?.replace('\n}\n', `\n${lines.get(path) ?? ''}}\n`),
  };
  let state = recheck(host, files, nothingChecked);
  for (const file of files) {
    const samples = [];
    // The first change is not counted: the compiler's code for what is checked again is not compiled yet.
    for (let i = 0; i <= repeats; i++) {
      lines.set(file, '  // changed\n'.repeat(i + 1));
      const start = process.cpuUsage();
      state = recheck(host, files, state);
      const { user, system } = process.cpuUsage(start);
      if (i > 0) samples.push((user + system) / 1e6);
    }
    results.push({ file, again: state.again.length, processorSeconds: statistics(samples) });
    lines.delete(file);
    state = recheck(host, files, state);
  }
  return results.sort((a, b) => b.processorSeconds.median - a.processorSeconds.median);
}
