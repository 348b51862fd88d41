import { createRequire } from 'node:module';
import { availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { timed } from './process.mjs';

const require = createRequire(import.meta.url);

/** The hardware and software that the figures were measured on. */
export async function machine(python) {
  const version = (name) => require(`${name}/package.json`).version;
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    commit: await commit(),
    node: process.versions.node,
    'onnxruntime-node': version('onnxruntime-node'),
    ...(python === undefined ? {} : JSON.parse((await timed(python, ['bench/reference.py', 'versions'])).printed)),
  };
}

/** The commit that was measured, and whether the working tree differed from it; unknown outside a checkout. */
async function commit() {
  try {
    const hash = (await timed('git', ['rev-parse', '--short', 'HEAD'])).printed.trim();
    const changed = (await timed('git', ['status', '--porcelain', '--untracked-files=no'])).printed.trim() !== '';
    return changed ? `${hash} with changes` : hash;
  } catch {
    return 'unknown';
  }
}
