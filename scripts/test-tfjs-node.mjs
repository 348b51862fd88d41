// The tests of the TensorFlow.js target on tfjs-node instead of WebAssembly: `npm run test:tfjs-node`.
// CROBC_TFJS names a folder below whose node_modules @tensorflow/tfjs-node is, where it is not installed here.
import { spawnSync } from 'node:child_process';

const tests = ['test/emit/tfjs', 'test/runtime/training/tfjs-backend.test.ts'];
const { status } = spawnSync('npx', ['vitest', 'run', ...tests, ...process.argv.slice(2)], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
  env: { CROBC_TFJS_DEVICE: 'tfjs-node', ...process.env },
});
process.exitCode = status ?? 1;
