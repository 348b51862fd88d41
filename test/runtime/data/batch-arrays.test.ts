import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Batch, type BatchOptions, loadBatches } from '../../../runtime/data/batches.ts';
import { type Dataset, openDataset } from '../../../runtime/data/dataset.ts';
import type { DecodeRequest } from '../../../runtime/data/decode.ts';
import { evaluate } from '../../../runtime/evaluation/evaluate.ts';
import { UserError } from '../../../runtime/files/user-error.ts';
import { ArrayPool, newArray } from '../../../runtime/ort/array-pool.ts';
import type { Feeds, HostTensor } from '../../../runtime/ort/session.ts';
import { openTokenizer, type TextInput } from '../../../runtime/text/tokenizer.ts';
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

async function words(): Promise<TextInput> {
  const pieces = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'ship', 'number', ...'0123456789'];
  return { words: 6, tokenizer: await openTokenizer({ name: 'vocab.txt', text: pieces.join('\n') }) };
}

function spoil({ data: { buffer, byteOffset, byteLength } }: HostTensor): void {
  new Uint8Array(buffer, byteOffset, byteLength).fill(77);
}

/** A pool that counts its arrays, and fills those that come back, so that whoever still reads them notices. */
function counting(): { readonly pool: ArrayPool; readonly made: HostTensor[] } {
  const made: HostTensor[] = [];
  const pool = new (class extends ArrayPool {
    override giveBack(tensors: Iterable<HostTensor>): void {
      const some = [...tensors];
      super.giveBack(some);
      for (const one of some) spoil(one);
    }
  })((type) => {
    const one = newArray(type);
    spoil(one);
    made.push(one);
    return one;
  });
  return { pool, made };
}

const copyOf = (feeds: Feeds) =>
  Object.entries(feeds).map(([name, { dtype, shape, data }]) => ({ name, dtype, shape, data: data.slice() }));

interface Steps {
  readonly pool?: ArrayPool;
  readonly accumulate?: number;
  readonly onBad?: 'stop' | 'skip';
}

async function steps(data: Dataset, { pool, accumulate = 1, onBad = 'stop' }: Steps) {
  const batch = 2;
  const plan = planRun({
    samples: data.samples.length,
    ...{ batch, accumulate, length: { steps: 30 }, evaluateEvery: 1, checkpointEvery: 1 },
  });
  return stepBatches(1, {
    data: {
      ...{ train: data, val: undefined, text: await words(), hashes: { data: '', vocabulary: '' } },
      sizes: { batch, height: size, width: size },
    },
    ...{ plan, accumulate, seed: 1, augment: true, blank: false, decodeThreads: 0, onBad, report: () => undefined },
    pool,
  });
}

test.each([1, 3])(
  'with %i micro-batches: the same batches as in new arrays, in a bounded number of arrays',
  async (accumulate) => {
    const data = await dataset(`steps-${accumulate}`, 14);
    const { pool, made } = counting();
    const [pooled, ordinary] = [await steps(data, { pool, accumulate }), await steps(data, { accumulate })];
    const ahead = Math.max(2, accumulate);
    for (let n = 0; n < 20; n++) {
      const [some, expected] = [(await pooled.next()).value!, (await ordinary.next()).value!];
      // What is read ahead meanwhile overwrites nothing.
      await new Promise((resolve) => setTimeout(resolve, 2));
      expect(some.map(copyOf)).toEqual(expected.map(copyOf));
      for (const { data } of some.flatMap((feeds) => Object.values(feeds)))
        expect(made.map((one) => one.data)).toContain(data);
    }
    // An image, a mask, words and their mask each.
    expect(made.length).toBe(4 * (accumulate + ahead));
    await pooled.return();
    await ordinary.return();
  },
);

test('a step that was left keeps its arrays, and what was read ahead gives them back', async () => {
  const data = await dataset('left', 12);
  const { pool, made } = counting();
  const first = await steps(data, { pool });
  const kept = (await first.next()).value!;
  const before = kept.map(copyOf);
  await expect.poll(() => made.length).toBe(12);
  await first.return();
  const second = await steps(data, { pool });
  for (let n = 0; n < 10; n++) {
    const some = (await second.next()).value!;
    const arrays = some.flatMap((feeds) => Object.values(feeds)).map((one) => one.data);
    for (const one of kept.flatMap((feeds) => Object.values(feeds))) expect(arrays.includes(one.data)).toBe(false);
  }
  expect(kept.map(copyOf)).toEqual(before);
  expect(made.length).toBeLessThanOrEqual(12 + 4);
  await second.return();
});

/** A decoder whose samples are all of one number each, and wait until they are told to go on. */
function heldDecoder(decode: (request: DecodeRequest) => Promise<number>) {
  return {
    decode: async (request: DecodeRequest) => {
      const number = await decode(request);
      return {
        image: new Float32Array(3 * size * size).fill(number),
        target: new Float32Array(size * size).fill(number),
        notes: [],
      };
    },
    close: async () => undefined,
  };
}

function loading(
  data: Dataset,
  options: Pick<BatchOptions, 'decoder' | 'pool'> & Partial<BatchOptions>,
): AsyncGenerator<Batch, void, undefined> {
  const given = { batch: 2, height: size, width: size, text: undefined, ahead: 1, ...reading, ...options };
  return loadBatches(
    data,
    data.samples.map((_, i) => i),
    given,
  );
}

test('between two images of a batch, the event loop has a turn', async () => {
  const data = await dataset('turns', 4);
  let turn = 0;
  const turns = new Set<number>();
  const decoder = {
    decode: async () => ({
      get image() {
        turns.add(turn);
        setImmediate(() => turn++);
        return new Float32Array(3 * size * size);
      },
      target: new Float32Array(size * size),
      notes: [],
    }),
    close: async () => undefined,
  };
  await loading(data, { decoder, pool: counting().pool, batch: 4 }).next();
  expect(turns.size).toBe(4);
});

test('an image that cannot be decoded costs no array, whether it stops a run or is skipped', async () => {
  const data = await dataset('bad', 8);
  await rm(join(data.dir, 'img_rgb', '5.png'));
  const { pool, made } = counting();
  const stopping = await steps(data, { pool });
  await expect(
    (async () => {
      for await (const _ of stopping);
    })(),
  ).rejects.toThrow('5.png');
  data.undecodable.clear();
  const skipping = await steps(data, { pool, onBad: 'skip' });
  for (let n = 0; n < 20; n++) await skipping.next();
  await skipping.return();
  expect(made.length).toBeLessThanOrEqual(12);
});

test('batches in work when the loop is left take no array afterwards, and give back what they have', async () => {
  const data = await dataset('in-work', 6);
  const { pool, made } = counting();
  const goOn: (() => void)[] = [];
  let asked = 0;
  const decoder = heldDecoder(async () => {
    const number = asked++;
    if (number >= 4) await new Promise<void>((resolve) => goOn.push(resolve));
    return number;
  });
  const batches = loading(data, { decoder, pool, ahead: 2 });
  const first = (await batches.next()).value!;
  expect(asked).toBe(6);
  await expect.poll(() => made.length).toBe(4);
  await batches.return();
  for (const go of goOn) go();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(made.length).toBe(4);
  // The second batch's arrays are free, those of the first are not.
  const image = { dtype: 'f32', shape: [2, 3, size, size] } as const;
  expect(pool.take(image).data).toBe(made[2]!.data);
  const other = pool.take(image);
  expect(made.indexOf(other)).toBe(4);
  expect(new Set(first.feeds.image!.data as Float32Array)).toEqual(new Set([0, 1]));
  first.release();
  first.release();
  expect(pool.take(image).data).toBe(first.feeds.image!.data);
});

test('an error while others decode gives their arrays back', async () => {
  const data = await dataset('error', 6);
  const { pool, made } = counting();
  let asked = 0;
  const decoder = heldDecoder(async () => {
    const number = asked++;
    if (number === 0) throw new UserError('no picture');
    return number;
  });
  const batches = loading(data, { decoder, pool, ahead: 2 });
  await expect(batches.next()).rejects.toThrow('no picture');
  await new Promise((resolve) => setTimeout(resolve, 20));
  const [images, targets] = [made.filter((_, i) => i % 2 === 0), made.filter((_, i) => i % 2 === 1)];
  for (const some of [images, targets]) for (const { dtype, shape } of some) pool.take({ dtype, shape });
  expect(made.length).toBe(images.length + targets.length);
});

test('an evaluation takes the arrays of the batches that it reads ahead, and no more', async () => {
  const data = await dataset('evaluated', 20);
  const { pool, made } = counting();
  const options = { protocol: 'lavt', batch: 2, height: size, width: size, text: await words(), ...reading } as const;
  const means = (feeds: Feeds): Promise<HostTensor> => {
    const data = (feeds.image!.data as Float32Array).slice(0, 2 * size * size);
    return Promise.resolve({ dtype: 'f32', shape: [2, 1, size, size], data });
  };
  const expected = await evaluate(means, data, { ...options, decodeThreads: 0 });
  expect(await evaluate(means, data, { ...options, decodeThreads: 0, pool })).toEqual(expected);
  expect(made.length).toBeLessThanOrEqual(4 * 3);
});
