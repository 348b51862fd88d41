import { expect, test } from 'vitest';
import { loadBatches } from '../../../runtime/data/batches.ts';
import { type Dataset, openDataset } from '../../../runtime/data/dataset.ts';
import { stepBatches } from '../../../runtime/training/data.ts';
import { planRun } from '../../../runtime/training/plan.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { dataFolder } from './data-folder.ts';

const at = temporaryFolder();
const size = 8;
const reading = { onBad: 'stop', report: (line: string) => expect.unreachable(line) } as const;

async function dataset(name: string, samples: number): Promise<Dataset> {
  const names = Array.from({ length: samples }, (_, i) => `${i}.png`);
  return openDataset(await dataFolder(at(name), names), 'train', reading);
}

test('the next batch is put together before it is asked for', async () => {
  const data = await dataset('together', 4);
  const used: number[] = [];
  let decoded = 0;
  const decoder = {
    decode: async () => {
      const sample = decoded++;
      return {
        get image() {
          if (!used.includes(sample)) used.push(sample);
          return new Float32Array(3 * size * size);
        },
        target: new Float32Array(size * size),
        notes: [],
      };
    },
    close: async () => undefined,
  };
  const options = { batch: 2, height: size, width: size, text: undefined, ahead: 1, decoder, ...reading };
  const batches = loadBatches(data, [0, 1, 2, 3], options);
  await batches.next();
  await expect.poll(() => used).toEqual([0, 1, 2, 3]);
  await batches.return();
});

test.each([
  [1, 2],
  [5, 5],
])('with %i micro-batches, %i are read ahead', async (accumulate, ahead) => {
  const whole = await dataset(`micro-${accumulate}`, 20);
  const asked = new Set<number>();
  const samples = whole.samples.map((sample, i) => ({
    ...sample,
    get image() {
      asked.add(i);
      return sample.image;
    },
  }));
  const plan = planRun({
    samples: 20,
    batch: 1,
    accumulate,
    length: { steps: 2 },
    evaluateEvery: 1,
    checkpointEvery: 1,
  });
  const steps = stepBatches(1, {
    data: {
      ...{ train: { ...whole, samples }, val: undefined, text: undefined, hashes: { data: '', vocabulary: '' } },
      sizes: { batch: 1, height: size, width: size },
    },
    ...{ plan, accumulate, seed: 1, augment: false, blank: false, decodeThreads: 0, ...reading },
  });
  await steps.next();
  expect(asked.size).toBe(accumulate + ahead);
  await steps.return();
});
