// Runs the tests of the TensorFlow.js target on tfjs-node instead of WebAssembly: `npm run build && npm run
// test:tfjs-node`. CROBC_TFJS names a folder whose node_modules contains @tensorflow/tfjs-node, if it is not installed
// here.
import { spawnSync } from 'node:child_process';
import { importSource } from './bundle-source.mjs';

const { loadTfjs } = await importSource('runtime/tfjs/load.ts');

process.env.CROBC_TFJS_DEVICE ??= 'tfjs-node';
const tests = [
  'test/emit/tfjs',
  'test/runtime/training/tfjs-backend.test.ts',
  'test/runtime/training/tfjs-shapes.test.ts',
];

/** Returns the exit code of the tests, or prints why they cannot run. */
async function run() {
  try {
    await loadTfjs();
  } catch (error) {
    console.error(`${error.message}; docs/tfjs.md says how to install it`);
    return 1;
  }
  const { status } = spawnSync('npx', ['vitest', 'run', ...tests, ...process.argv.slice(2)], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  return status ?? 1;
}

process.exitCode = await run();
