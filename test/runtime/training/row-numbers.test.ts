import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileTraining, type Training } from '../../../compiler/training/compile-training.ts';
import { differentiate } from '../../../compiler/training/differentiated.ts';
import { trainingStep } from '../../../compiler/training/step.ts';
import { UserError } from '../../../runtime/files/user-error.ts';
import { type Feeds, RunFailure } from '../../../runtime/ort/session.ts';
import type { TrainingBackend } from '../../../runtime/training/backend.ts';
import { initialState } from '../../../runtime/training/initial-state.ts';
import { openOnnxBackend } from '../../../runtime/training/onnx-backend.ts';
import { statesOf } from '../../../runtime/training/state.ts';
import { openTfjsBackend } from '../../../runtime/training/tfjs-backend.ts';
import { memoryHost } from '../../memory-host.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crobc-rows-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Words that are looked up, and rows of a second table that a shift is computed for; what is added up goes to such rows. */
const source = `use std.linear.{Embedding}
model Words {
  words = Embedding(5, 3)
  places = Embedding(4, 3)
  input tokens: i64[B, 3]
  input shift: i32[B, 3]
  output y = words(i32(tokens)) + places(shift + shift)
}
recipe plain for Words at B = 2 {
  term error = mean(square(scatter_add(shift + 1, y, 3)), "n c ->")
  optimizer = SGD(lr = 1)
  steps = 1
}
`;

async function open(name: 'onnx' | 'tfjs', training: Training): Promise<TrainingBackend> {
  const steps = { whole: trainingStep(differentiate(training)) };
  const state = await initialState({
    weights: training.weights,
    state: statesOf(steps),
    seed: 3,
    weightsFile: undefined,
  });
  const options = { steps, inference: training.inference, seed: 3, state };
  if (name === 'tfjs') return openTfjsBackend({ ...options, model: 'Words', folder });
  return openOnnxBackend({ ...options, device: 'cpu', threads: 1 });
}

function feedsOf(tokens: readonly number[], shift: readonly number[]): Feeds {
  return {
    tokens: { dtype: 'i64', shape: [2, 3], data: BigInt64Array.from(tokens, BigInt) },
    shift: { dtype: 'i32', shape: [2, 3], data: Int32Array.from(shift) },
  };
}

describe.each(['onnx', 'tfjs'] as const)('a step and a prediction in %s', (name) => {
  let backend: TrainingBackend;
  beforeAll(async () => {
    const { training, diagnostics } = compileTraining(memoryHost({ 'main.crob': source }), 'main.crob', {
      dims: new Map(),
      overrides: [],
    });
    expect(diagnostics).toEqual([]);
    backend = await open(name, training!);
  });
  afterAll(() => backend.release());

  const right = [0, 1, 2, 3, 4, 4];
  const step = (feeds: Feeds) => backend.step([feeds], { learningRate: 0.1, step: 1 });
  const weights = async () => [...(await backend.read())].map(([path, data]) => [path, [...data]]);

  test('take rows that there are', async () => {
    const before = await weights();
    const { loss } = await step(feedsOf(right, [0, 1, 1, 0, 0, 1]));
    expect(loss).toBeGreaterThan(0);
    expect(await weights()).not.toEqual(before);
    expect((await backend.predict(feedsOf(right, [0, 1, 1, 0, 0, 1]))).shape).toEqual([2, 3, 3]);
  });

  test.each([-1, 5, 2 ** 31 - 1, 2 ** 31, -(2 ** 31)])('refuse the token %i', async (token) => {
    const before = await weights();
    const feeds = feedsOf([0, 1, 2, 3, token, 4], [0, 0, 0, 0, 0, 0]);
    // 32 bits are all that a tensor of TensorFlow.js has.
    const message =
      token === 2 ** 31 && name === 'tfjs' ? `tokens holds ${token}` : `tokens is ${token} at [1, 1]: must lie in 0..4`;
    for (const run of [step, (given: Feeds) => backend.predict(given)]) {
      const refused = expect(run(feeds)).rejects;
      await refused.toThrow(message);
      await refused.toBeInstanceOf(UserError);
      await refused.not.toBeInstanceOf(RunFailure);
    }
    expect(await weights()).toEqual(before);
  });

  test.each([-1, 2, 2 ** 30, -(2 ** 30)])('refuse a row that comes of %i', async (shift) => {
    const before = await weights();
    const feeds = feedsOf(right, [0, 1, 0, 1, 0, shift]);
    const isWrapped = Math.abs(shift) === 2 ** 30;
    const refused = expect(step(feeds)).rejects;
    await refused.toThrow(
      /an index in \S+ (is -?\w+( at \[[\d, ]+\])?: (must lie in 0\.\.[23]|out of range)|is out of range)/,
    );
    await refused.toBeInstanceOf(RunFailure);
    if (!isWrapped) await expect(backend.predict(feeds)).rejects.toThrow(RunFailure);
    expect(await weights()).toEqual(before);
  });
});
