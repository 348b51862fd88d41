// slow: starts a process that bundles the compiler
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('the benchmark compiles and takes a training step', () => {
  const settings = {
    file: 'models/crobim.crob',
    model: 'CroBIM_micro',
    recipe: 'micro',
    dims: { B: 1, H: 64, W: 64, T: 8 },
    overrides: [],
    backend: 'onnx',
    threads: 1,
  };
  const arguments_ = ['bench/trainer.mjs', JSON.stringify(settings)];
  const lines = execFileSync(process.execPath, arguments_, { input: '\n', encoding: 'utf8' }).trim().split('\n');
  const [ready, step] = lines.map((line) => JSON.parse(line));
  expect(ready).toMatchObject({ device: 'cpu', nodes: expect.any(Number), parameters: expect.any(Number) });
  expect(step.loss).toBeGreaterThan(0);
});
