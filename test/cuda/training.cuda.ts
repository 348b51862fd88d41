import { expect, test } from 'vitest';
import { openNativeEngine } from '../../runtime/ort/native-engine.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { stepsOfImages } from '../runtime/training/micro-data.ts';
import { batch, batchesOf, micro, openTraining } from '../runtime/training/micro-training.ts';
import { type Counts, counted, total } from './counts.ts';

const at = temporaryFolder();
const batchBytes = Object.values(batch(0)).reduce((sum, { data }) => sum + data.byteLength, 0);

/** The numbers of a training of CroBIM_micro whose first steps are over, in its steps. */
async function stepCounts(
  accumulate: number,
  recompute: readonly string[] = [],
): Promise<{ readonly note: string | undefined; readonly counts: Counts; readonly captured: Counts['captured'] }> {
  const engine = await openNativeEngine('cuda', undefined);
  if ('missing' in engine) throw new Error(engine.missing);
  const backend = await openTraining(engine, micro(accumulate), undefined, 2, recompute);
  const step = (n: number) => backend.step(batchesOf(n, accumulate), { learningRate: 1e-5, step: n });
  const { captured } = await counted(async () => {
    await step(1);
    await step(2);
  });
  const counts = await counted(async () => {
    await step(3);
    await step(4);
  });
  await backend.release();
  return { note: backend.note, counts, captured };
}

test('a step is one CUDA graph: no kernel is launched by itself, and no state crosses the bus', async () => {
  const { note, counts, captured } = await stepCounts(1);
  expect(note).toBeUndefined();
  // Measured: 3,500. A maximum has no other kernel than the last one.
  expect(total(captured)).toBeLessThanOrEqual(3550);
  expect(captured.get('cudnnReduceTensor') ?? 0).toBeLessThanOrEqual(17);
  expect(counts.graphLaunches).toBe(2);
  expect(counts.captures).toBe(0);
  expect(total(counts.launched)).toBe(0);
  expect(counts.staleReads).toBe(0);
  // Besides the batch, the learning rate and the number of the step.
  expect(counts.copies.up.bytes).toBe(2 * (batchBytes + 8));
  // Losses and the norm of the gradients.
  expect(counts.copies.down.bytes).toBeLessThan(100);
});

test('with micro-batches, a step is a graph for each and one for the update', async () => {
  const { note, counts } = await stepCounts(2);
  expect(note).toBeUndefined();
  expect(counts.graphLaunches).toBe(2 * 3);
  expect(counts.captures).toBe(0);
  expect(total(counts.launched)).toBe(0);
  expect(counts.staleReads).toBe(0);
  // The sums of gradients are cleared by zeros that are there.
  expect(counts.copies.up.bytes).toBe(2 * (2 * batchBytes + 8));
  expect(counts.copies.down.bytes).toBeLessThan(200);
});

test('a step that recomputes activations is a graph as well', async () => {
  const { note, counts } = await stepCounts(1, ['backbone.layers.*']);
  expect(note).toBeUndefined();
  expect(counts.graphLaunches).toBe(2);
  expect(total(counts.launched)).toBe(0);
  expect(counts.copies.down.bytes).toBeLessThan(100);
});

test.each([1, 2])('%i micro-batches that are read from images go up from page-locked memory', async (accumulate) => {
  const open = await stepsOfImages(at(`images-${accumulate}`), accumulate);
  const engine = await openNativeEngine('cuda', undefined);
  if ('missing' in engine) throw new Error(engine.missing);
  const backend = await openTraining(engine, micro(accumulate));
  const steps = open(backend.feedArrays);
  const run = async (from: number, to: number) => {
    for (let step = from; step <= to; step++)
      await backend.step((await steps.next()).value!, { learningRate: 1e-5, step });
  };
  await run(1, 2);
  const { copies, pageLockedCopies } = await counted(() => run(3, 12));
  // Image, target, words and their mask of each micro-batch; the learning rate and the number of the step.
  expect(copies.up).toEqual({ times: 10 * (4 * accumulate + 2), bytes: 10 * (accumulate * batchBytes + 8) });
  expect(pageLockedCopies).toEqual({ up: copies.up, down: copies.down });
  await steps.return();
  await backend.release();
});
