// slow: trains CroBIM_micro several times

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Training } from '../../../compiler/training/compile-training.ts';
import type { Engine, Residence } from '../../../runtime/ort/engine.ts';
import { openNativeEngine } from '../../../runtime/ort/native-engine.ts';
import { openNodeEngine } from '../../../runtime/ort/node-engine.ts';
import type { Feeds } from '../../../runtime/ort/session.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { stepsOfImages } from './micro-data.ts';
import { batch, batchesOf, micro, openTraining } from './micro-training.ts';

const at = temporaryFolder();

async function native(residence: Residence, firstRuns?: number): Promise<Engine> {
  const settings = { residence, ...(firstRuns === undefined ? {} : { firstRuns }) };
  const engine = await openNativeEngine('cpu', undefined, settings);
  if ('missing' in engine) throw new Error(engine.missing);
  return engine;
}

/** The results of some steps, and hashes of the state after them and of a prediction with it. */
async function trained(engine: Engine, training: Training, threads?: number) {
  const { accumulate } = training.recipe;
  const backend = await openTraining(engine, training, undefined, threads);
  const results: unknown[] = [];
  for (let step = 1; step <= 3; step++)
    results.push(await backend.step(batchesOf(step, accumulate), { learningRate: 1e-5, step }));
  const hash = createHash('sha256');
  const state = [...(await backend.read())].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, data] of state) hash.update(name).update(new Uint8Array(data.slice().buffer));
  const { target: _, ...inputs } = batch(99);
  const { shape, data } = await backend.predict(inputs);
  const predicted = createHash('sha256').update(new Uint8Array((data as Float32Array).slice().buffer));
  await backend.release();
  return { results, tensors: state.length, state: hash.digest('hex'), shape, predicted: predicted.digest('hex') };
}

test('the C API gives the bits of onnxruntime-node', async () => {
  const training = micro(1);
  const expected = await trained(openNodeEngine('cpu', undefined), training);
  expect(expected.tensors).toBeGreaterThan(500);
  expect(expected.shape).toEqual([2, 1, 64, 64]);
  expect(await trained(await native('arrays'), training)).toEqual(expected);
});

test('so does state in memory of onnxruntime, as on a GPU, with micro-batches', async () => {
  const training = micro(2);
  const expected = await trained(openNodeEngine('cpu', undefined), training);
  expect(await trained(await native('device'), training)).toEqual(expected);
});

test('so do captured steps, of which the first runs the model several times', async () => {
  const training = micro(2);
  // Sums over repeated rows are Scans for several threads, which are not captured.
  const expected = await trained(openNodeEngine('cpu', undefined), training, 1);
  const engine = await native('device', 3);
  const uncaptured: (string | undefined)[] = [];
  const noting: Engine = {
    ...engine,
    async open(model, options) {
      const opened = await engine.open(model, options);
      uncaptured.push(options.captured ? opened.uncaptured : 'not asked for');
      return opened;
    },
  };
  expect(await trained(noting, training, 1)).toEqual(expected);
  expect(uncaptured).toEqual([undefined, undefined, undefined]);
});

test('batches in arrays that are used again, as on a GPU, give the same steps', async () => {
  const training = micro(2);
  const open = await stepsOfImages(at('images'), 2);
  const results: unknown[][] = [];
  for (const residence of ['arrays', 'device'] as const) {
    const backend = await openTraining(await native(residence), training);
    expect(backend.feedArrays === undefined).toBe(residence === 'arrays');
    const [steps, of]: [AsyncGenerator<readonly Feeds[]>, unknown[]] = [open(backend.feedArrays), []];
    // More than one epoch of 5 steps.
    for (let step = 1; step <= 7; step++)
      of.push(await backend.step((await steps.next()).value, { learningRate: 1e-3, step }));
    await steps.return(undefined);
    await backend.release();
    results.push(of);
  }
  expect(results[1]).toEqual(results[0]);
});

test('a back end that goes on from what another read gives the same steps', async () => {
  const training = micro(1);
  const [first, second] = [await native('device'), await native('arrays')];
  const backend = await openTraining(first, training);
  await backend.step(batchesOf(1, 1), { learningRate: 1e-5, step: 1 });
  const checkpoint = new Map([...(await backend.read())].map(([name, data]) => [name, data.slice()]));
  const scalars = { learningRate: 1e-5, step: 2 };
  const went = await backend.step(batchesOf(2, 1), scalars);
  await backend.write(checkpoint);
  expect(await backend.step(batchesOf(2, 1), scalars)).toEqual(went);
  const resumed = await openTraining(second, training, checkpoint);
  expect(await resumed.step(batchesOf(2, 1), scalars)).toEqual(went);
  await backend.release();
  await resumed.release();
});
