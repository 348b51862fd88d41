// slow: steps in TensorFlow.js

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { generateTfjs } from '../../../compiler/emit/tfjs/generate.ts';
import { trainingProgram } from '../../../compiler/emit/tfjs/programs.ts';
import { compileTraining } from '../../../compiler/training/compile-training.ts';
import { differentiate } from '../../../compiler/training/differentiated.ts';
import { trainingStep } from '../../../compiler/training/step.ts';
import { diskHost } from '../../../runtime/files/source-host.ts';
import type { Feeds } from '../../../runtime/ort/session.ts';
import { loadTfjs } from '../../../runtime/tfjs/load.ts';
import { initialState } from '../../../runtime/training/initial-state.ts';
import { openOnnxBackend } from '../../../runtime/training/onnx-backend.ts';
import { statesOf } from '../../../runtime/training/state.ts';
import { openTfjsBackend } from '../../../runtime/training/tfjs-backend.ts';
import { held } from '../../emit/tfjs/run.ts';
import { rows, ToyReference, toyFeeds, toyInference, toyState, toySteps, width } from './toy.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crobc-tfjs-'));
});
afterEach(() => rm(folder, { recursive: true }));

const open = (options: Parameters<typeof toySteps>[0] = {}, state = toyState()) =>
  openTfjsBackend({ model: 'Toy', steps: toySteps(options), inference: toyInference(), state, seed: 5, folder });

describe.each([1, 3])('steps of %i micro-batches', (times) => {
  test('do what float64 loops do, with the same draws, and leave no tensor behind', async () => {
    const { tf } = await loadTfjs();
    const before = held(tf);
    const backend = await open({ times });
    const reference = new ToyReference();
    let during: number | undefined;
    for (let step = 1; step <= 20; step++) {
      const batches = Array.from({ length: times }, (_, micro) => toyFeeds(step * 10 + micro));
      const scalars = { learningRate: 0.1 / step, step };
      const found = await backend.step(batches, scalars);
      const wanted = reference.step(batches, scalars, 5);
      expect(found.loss).toBeCloseTo(wanted.loss, 4);
      expect(found.terms).toEqual({ square: found.loss });
      expect(found.gradientNorm).toBeCloseTo(wanted.gradientNorm, 4);
      during ??= held(tf);
      expect(held(tf)).toBe(during);
    }
    const state = await backend.read();
    // The toy's state has it without micro-batches too, where it is no sum.
    expect(state.has('gradient:w')).toBe(times === 1);
    for (let i = 0; i < width; i++) {
      expect(state.get('weight:w')![i]).toBeCloseTo(reference.w[i]!, 4);
      expect(state.get('moment:w')![i]).toBeCloseTo(reference.m[i]!, 4);
    }
    await backend.release();
    expect(held(tf)).toBe(before);
  });
});

test('predictions follow the weights, and averages stand for them', async () => {
  const { tf } = await loadTfjs();
  const before = held(tf);
  const { image } = toyFeeds(1);
  const product = (w: ArrayLike<number>) =>
    Array.from({ length: rows }, (_, r) =>
      Array.from({ length: width }, (_, i) => (image!.data[r * width + i] as number) * w[i]!).reduce((a, b) => a + b),
    );
  const plain = await open();
  await plain.step([toyFeeds(1)], { learningRate: 0.1, step: 1 });
  const { data, shape } = await plain.predict({ image: image! });
  expect(shape).toEqual([rows, 1]);
  for (const [i, y] of product((await plain.read()).get('weight:w')!).entries()) expect(data[i]).toBeCloseTo(y, 5);
  await plain.write(new Map([['weight:w', new Float32Array(width)]]));
  expect([...((await plain.predict({ image: image! })).data as Float32Array)]).toEqual([0, 0, 0]);
  await plain.release();
  const state = toyState();
  state.set('average:w', new Float32Array(width).fill(1));
  const averaging = await open({}, state);
  const averages = await averaging.predict({ image: image! });
  for (const [i, y] of product([1, 1, 1, 1]).entries()) expect(averages.data[i]).toBeCloseTo(y, 5);
  await averaging.release();
  expect(held(tf)).toBe(before);
});

test('what runs is the program that is built', async () => {
  const backend = await open();
  const built = await generateTfjs(trainingProgram('Toy', { step: toySteps().whole! }));
  expect(await readFile(join(folder, 'Toy.train.tfjs.ts'), 'utf8')).toBe(built);
  expect((await readdir(folder)).sort()).toEqual(['Toy.train.tfjs.mjs', 'Toy.train.tfjs.ts']);
  await backend.release();
});

test('an input of 64 bits is narrowed, and refused where it does not fit', async () => {
  const backend = await open();
  const feeds = toyFeeds(1);
  const wide: Feeds = { ...feeds, image: { dtype: 'i64', shape: [1], data: BigInt64Array.of(2n ** 40n) } };
  await expect(backend.step([wide], { learningRate: 0.1, step: 1 })).rejects.toThrow(
    'image holds 1099511627776, beyond the 32 bits of TensorFlow.js',
  );
  await backend.release();
});

test('CroBIM_micro learns what it learns in onnxruntime', async () => {
  const dims = new Map([
    ['B', 2],
    ['H', 64],
    ['W', 64],
    ['T', 8],
  ]);
  const { training } = compileTraining(diskHost(), 'models/crobim.crob', {
    model: 'CroBIM_micro',
    dims,
    overrides: [],
  });
  const steps = { whole: trainingStep(differentiate(training!)) };
  const begin = () =>
    initialState({ weights: training!.weights, state: statesOf(steps), seed: 2, weightsFile: undefined });
  const common = { steps, inference: training!.inference, seed: 2 };
  const onnx = await openOnnxBackend({ ...common, state: await begin(), device: 'cpu', threads: 1 });
  const tfjs = await openTfjsBackend({ ...common, state: await begin(), model: 'CroBIM_micro', folder });
  const { tf } = await loadTfjs();
  const feeds: Feeds = {
    image: {
      dtype: 'f32',
      shape: [2, 3, 64, 64],
      data: Float32Array.from({ length: 2 * 3 * 64 * 64 }, (_, i) => Math.sin(i * i)),
    },
    tokens: {
      dtype: 'i64',
      shape: [2, 8],
      data: BigInt64Array.from([2, 5, 7, 9, 3, 0, 0, 0, 2, 8, 3, 0, 0, 0, 0, 0], BigInt),
    },
    mask: { dtype: 'bool', shape: [2, 8], data: Uint8Array.of(1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0) },
    target: {
      dtype: 'f32',
      shape: [2, 1, 64, 64],
      data: Float32Array.from({ length: 2 * 64 * 64 }, (_, i) => (i % 64 < 20 ? 1 : 0)),
    },
  };
  let during: number | undefined;
  // Ten steps are held to PyTorch in test/training/goldens.test.ts; three show whether tensors pile up.
  for (let step = 1; step <= 3; step++) {
    const scalars = { learningRate: 1e-4, step };
    const wanted = await onnx.step([feeds], scalars);
    const found = await tfjs.step([feeds], scalars);
    expect(Math.abs(found.loss - wanted.loss)).toBeLessThan(1e-3 * wanted.loss);
    expect(Math.abs(found.gradientNorm - wanted.gradientNorm)).toBeLessThan(1e-2 * wanted.gradientNorm);
    during ??= held(tf);
    expect(held(tf)).toBe(during);
  }
  const [a, b] = [await onnx.predict(feeds), await tfjs.predict(feeds)];
  expect(b.shape).toEqual(a.shape);
  const largest = Math.max(...Array.from(a.data as Float32Array, Math.abs));
  for (const [i, y] of (a.data as Float32Array).entries())
    expect(Math.abs((b.data[i] as number) - y)).toBeLessThan(0.01 * largest);
  await onnx.release();
  await tfjs.release();
});
