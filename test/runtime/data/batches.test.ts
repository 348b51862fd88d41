// slow: decodes many pictures

import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import * as sources from '../../../runtime/data/batches.ts';
import { type Dataset, openDataset } from '../../../runtime/data/dataset.ts';
import type * as decoders from '../../../runtime/data/decoder.ts';
import { IMAGENET_MEAN, IMAGENET_STD } from '../../../runtime/images/normalise.ts';
import { openTokenizer, type Tokenizer } from '../../../runtime/text/tokenizer.ts';
import { bundleSource } from '../../../scripts/bundle-source.mjs';
import { temporaryFolder } from '../temporary-folder.ts';
import { dataFolder, mask, picture, writePhrases } from './data-folder.ts';

const at = temporaryFolder();
let folders = 0;
let tokenizer: Tokenizer;
/** As JavaScript: the decoding threads of Node 20 run no TypeScript. */
const bundled = async (file: string) => pathToFileURL(await bundleSource(`runtime/${file}.ts`)).href;
let built: typeof sources;
beforeAll(async () => {
  const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'ship', 'number', 'left', 'right'];
  await writeFile(at('vocab.txt'), [...words, ...'0123456789'].join('\n'));
  tokenizer = await openTokenizer(at('vocab.txt'));
  built = (await import(await bundled('data/batches'))) as typeof sources;
});

const names = (n: number) => Array.from({ length: n }, (_, i) => `${i}.png`);
const open = (dir: string) => openDataset(dir, 'train', { onBad: 'stop', report: () => undefined });
const dataset = async (n: number): Promise<Dataset> => open(await dataFolder(at(`set-${folders++}`), names(n)));
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

type Options = Partial<sources.BatchOptions>;
const options = (some: Options): sources.BatchOptions => ({
  batch: 2,
  height: 8,
  width: 8,
  text: { words: 6, tokenizer },
  ahead: 2,
  onBad: 'stop',
  report: (problem) => expect.unreachable(problem),
  ...some,
});

/** Each way of decoding: on this thread, and on one and two others. */
const ways: [string, (data: Dataset, order: ArrayLike<number>, some?: Options) => AsyncGenerator<sources.Batch>][] = [
  ['on this thread', (data, order, some = {}) => sources.loadBatches(data, order, options({ threads: 0, ...some }))],
  ['on a thread', (data, order, some = {}) => built.loadBatches(data, order, options({ threads: 1, ...some }))],
  ['on two threads', (data, order, some = {}) => built.loadBatches(data, order, options({ threads: 2, ...some }))],
];

const lines = (batches: readonly sources.Batch[]) => batches.map(({ samples }) => samples.map(({ line }) => line));
const contents = (batches: readonly sources.Batch[]) => batches.map(({ feeds, samples }) => ({ feeds, samples }));
const all = async (batches: AsyncIterable<sources.Batch>) => {
  const list: sources.Batch[] = [];
  for await (const batch of batches) list.push(batch);
  return list;
};
const phrasesFile = (data: Dataset) => join(data.dir, 'output_phrase_train.txt');

describe.each(ways)('%s', (_way, load) => {
  test('tensors of a batch', async () => {
    const data = await dataset(3);
    const [first, ...more] = await all(load(data, [2, 0]));
    expect(more).toEqual([]);
    const { image, tokens, mask, target } = first!.feeds;
    expect(image).toMatchObject({ dtype: 'f32', shape: [2, 3, 8, 8] });
    for (const [i, sample] of [2, 0].entries()) {
      for (const [c, v] of [sample, 2 * sample, 255 - sample].entries()) {
        const plane = (image!.data as Float32Array).subarray((i * 3 + c) * 64, (i * 3 + c + 1) * 64);
        expect(new Set(plane).size).toBe(1);
        expect(plane[0]).toBeCloseTo((v / 255 - IMAGENET_MEAN[c]!) / IMAGENET_STD[c]!, 5);
      }
    }
    expect(tokens).toEqual({
      dtype: 'i64',
      shape: [2, 6],
      data: BigInt64Array.from([2, 5, 6, 11, 3, 0, 2, 5, 6, 9, 3, 0].map(BigInt)),
    });
    const five = [1, 1, 1, 1, 1, 0];
    expect(mask).toEqual({ dtype: 'bool', shape: [2, 6], data: Uint8Array.from([...five, ...five]) });
    expect(target).toMatchObject({ dtype: 'f32', shape: [2, 1, 8, 8] });
    expect([...target!.data]).toEqual(Array.from({ length: 128 }, (_, i) => (i % 8 < 4 ? 1 : 0)));
    expect(first!.samples).toEqual([data.samples[2], data.samples[0]]);
  });

  test('pictures and masks take the size asked for, masks the nearest pixel', async () => {
    const [batch] = await all(load(await dataset(1), [0], { batch: 1, height: 4, width: 16 }));
    expect(batch!.feeds.image!.shape).toEqual([1, 3, 4, 16]);
    expect([...batch!.feeds.target!.data]).toEqual(Array.from({ length: 64 }, (_, i) => (i % 16 < 8 ? 1 : 0)));
  });

  test('the order is kept though some pictures take longer', async () => {
    const dir = await dataFolder(at(`set-${folders++}`), names(12));
    for (const i of [0, 3, 4, 8]) {
      await picture(join(dir, 'img_rgb', `${i}.png`), 300, 300, (x, y) => [(x * y) % 251, i, 0]);
      await mask(join(dir, 'mask', `${i}.png`), 300, 300, (x) => (x < 150 ? 1 : 0));
    }
    const data = await open(dir);
    const order = [0, 11, 3, 1, 4, 2, 8, 5, 6, 7, 10, 9];
    const batches = await all(load(data, order, { batch: 3, ahead: 3 }));
    expect(lines(batches).flat()).toEqual(order.map((i) => i + 1));
    // The green channel says which picture it is.
    const greens = batches.flatMap(({ feeds }) =>
      [0, 1, 2].map((i) => {
        const v = (feeds.image!.data as Float32Array)[(i * 3 + 1) * 64]!;
        return Math.round((v * IMAGENET_STD[1] + IMAGENET_MEAN[1]) * 255);
      }),
    );
    expect(greens).toEqual(order.map((i) => ([0, 3, 4, 8].includes(i) ? i : 2 * i)));
  });

  test('a truncated picture: stop names the line of its phrase, once its batch is wanted', async () => {
    const data = await dataset(6);
    const path = join(data.dir, 'img_rgb', '3.png');
    await writeFile(path, (await readFile(path)).subarray(0, 60));
    const taken: sources.Batch[] = [];
    const failed = (async () => {
      for await (const batch of load(data, upTo(6))) taken.push(batch);
    })();
    await expect(failed).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringMatching(
        new RegExp(`^${phrasesFile(data)}:4: cannot read ${path}: the image is truncated or damaged.*\\(--on-bad skip`),
      ),
    });
    expect(lines(taken)).toEqual([[1, 2]]);
  });
});

describe('the last batch', () => {
  const load = ways[0]![1];

  test('pad repeats its first sample and says how many are real', async () => {
    const batches = await all(load(await dataset(5), upTo(5), { batch: 3 }));
    expect(lines(batches)).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    const { tokens } = batches[1]!.feeds;
    const rows = [0, 1, 2].map((i) => (tokens!.data as BigInt64Array).slice(i * 6, i * 6 + 6));
    expect(rows[2]).toEqual(rows[0]);
    expect(rows[1]).not.toEqual(rows[0]);
  });

  test('wrap goes on at the start, drop leaves it out', async () => {
    const data = await dataset(5);
    expect(lines(await all(load(data, upTo(5), { batch: 3, last: 'wrap' })))).toEqual([
      [1, 2, 3],
      [4, 5, 1],
    ]);
    expect(lines(await all(load(data, upTo(5), { batch: 3, last: 'drop' })))).toEqual([[1, 2, 3]]);
    expect(lines(await all(load(data, upTo(5), { batch: 12, last: 'wrap' })))).toEqual([
      [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2],
    ]);
    await expect(all(load(data, upTo(5), { batch: 6, last: 'drop' }))).rejects.toThrow(
      '5 samples are fewer than a batch of 6',
    );
    for (const [last, want] of [
      ['pad', 2],
      ['wrap', 2],
      ['drop', 1],
    ] as const) {
      expect(sources.batchCount(5, 3, last)).toBe(want);
    }
  });

  test('resumed at a batch, the rest is the same', async () => {
    const data = await dataset(7);
    const order = [3, 1, 6, 0, 5, 2, 4];
    for (const last of ['pad', 'wrap', 'drop'] as const) {
      const whole = contents(await all(load(data, order, { last })));
      expect(contents(await all(load(data, order, { last, start: 2 })))).toEqual(whole.slice(2));
    }
  });
});

describe('skipping what turns out bad', () => {
  const load = ways[0]![1];
  const damaged = async (n: number, bad: readonly number[]) => {
    const data = await dataset(n);
    for (const i of bad) await writeFile(join(data.dir, 'mask', `${i}.png`), 'no picture');
    const said: string[] = [];
    return { data, said, skip: { onBad: 'skip', report: (problem: string) => said.push(problem) } as const };
  };

  test('pad leaves samples and empty batches out', async () => {
    const { data, said, skip } = await damaged(6, [1, 2, 3]);
    expect(lines(await all(load(data, upTo(6), skip)))).toEqual([[1], [5, 6]]);
    expect(said.sort()).toEqual(
      [1, 2, 3].map(
        (i) =>
          `${phrasesFile(data)}:${i + 1}: cannot read ${data.dir}/mask/${i}.png: it is not a PNG, JPEG, TIFF or WebP image`,
      ),
    );
  });

  test('wrap and drop take the next good sample instead, resumed or not, and tell once for all epochs', async () => {
    const { data, said, skip } = await damaged(6, [1, 2, 5]);
    const want = [
      [1, 4],
      [4, 4],
      [5, 1],
    ];
    expect(lines(await all(load(data, upTo(6), { ...skip, last: 'wrap' })))).toEqual(want);
    expect(lines(await all(load(data, upTo(6), { ...skip, last: 'drop' })))).toEqual(want);
    expect(said.length).toBe(3);
    const again = { ...data, undecodable: new Set<number>() };
    expect(lines(await all(load(again, upTo(6), { ...skip, last: 'wrap', start: 1 })))).toEqual(want.slice(1));
  });

  test('ten are told and the rest is counted', async () => {
    const { data, said, skip } = await damaged(14, upTo(13));
    expect(lines(await all(load(data, upTo(14), skip)))).toEqual([[14]]);
    expect(said.length).toBe(11);
    expect(said[10]).toBe('and 3 more problems like these');
  });

  test('nothing good is left', async () => {
    const { data, skip } = await damaged(3, upTo(3));
    await expect(all(load(data, upTo(3), { ...skip, last: 'wrap' }))).rejects.toThrow('has no sample that can be used');
    expect(await all(load(data, upTo(3), skip))).toEqual([]);
  });

  test('a picture that is gone, one of another size, a phrase without a token', async () => {
    const dir = await dataFolder(at(`set-${folders++}`), names(4));
    await writePhrases(dir, ['0.png ship', '1.png ship', '2.png \ufffd', '3.png ship']);
    const data = await open(dir);
    await rm(join(dir, 'img_rgb', '0.png'));
    await mask(join(dir, 'mask', '1.png'), 9, 8, () => 1);
    const said: string[] = [];
    const report = (problem: string) => said.push(problem);
    expect(lines(await all(load(data, upTo(4), { onBad: 'skip', report })))).toEqual([[4]]);
    expect(said.sort()).toEqual([
      `${phrasesFile(data)}:1: cannot read ${dir}/img_rgb/0.png: no such file or folder`,
      `${phrasesFile(data)}:2: the mask ${dir}/mask/1.png has 9 × 8 pixels, and its image 8 × 8`,
      `${phrasesFile(data)}:3: the sentence is empty`,
    ]);
  });
});

test('blank: every phrase is [CLS] [SEP]', async () => {
  const [batch] = await all(ways[0]![1](await dataset(2), [0, 1], { blank: true, text: { words: 4, tokenizer } }));
  expect([...(batch!.feeds.tokens!.data as BigInt64Array)].map(Number)).toEqual([2, 3, 0, 0, 2, 3, 0, 0]);
  expect([...batch!.feeds.mask!.data]).toEqual([1, 1, 0, 0, 1, 1, 0, 0]);
});

test('augment: about half are mirrored, pictures, masks and words together, the same each time', async () => {
  const dir = await dataFolder(at(`set-${folders++}`), names(24));
  for (const name of names(24))
    await picture(join(dir, 'img_rgb', name), 8, 8, (x) => (x < 4 ? [0, 0, 0] : [255, 255, 255]));
  await writePhrases(
    dir,
    names(24).map((name) => `${name} ship left`),
  );
  const data = await open(dir);
  const load = (epoch: number) =>
    all(ways[0]![1](data, upTo(24), { batch: 24, augment: { seed: 3, epoch } })).then(([batch]) => batch!.feeds);
  const [first, again, second] = await Promise.all([load(0), load(0), load(1)]);
  expect(again).toEqual(first);
  const sides = ({ image, target, tokens }: sources.Feeds) =>
    upTo(24).map((i) => {
      const dark = (image!.data as Float32Array)[i * 192]! < 0;
      const on = target!.data[i * 64] === 1;
      const left = (tokens!.data as BigInt64Array)[i * 6 + 2] === 7n;
      expect([dark, on, left]).toEqual(left ? [true, true, true] : [false, false, false]);
      return left;
    });
  const mirrored = sides(first).filter((left) => !left).length;
  expect(mirrored).toBeGreaterThan(4);
  expect(mirrored).toBeLessThan(20);
  expect(sides(second)).not.toEqual(sides(first));
});

describe('bounds and ends', () => {
  test('one core is left to the training, and threads are no more than can have work', async () => {
    const { decodingThreads } = (await import(await bundled('data/decoder'))) as typeof decoders;
    expect([1, 2, 3, 8, 64].map((cores) => decodingThreads(cores))).toEqual([1, 1, 2, 7, 16]);
  });

  test('no more than `ahead` batches beyond the one taken are begun', async () => {
    const data = await dataset(20);
    let encoded = 0;
    const counting: Tokenizer = {
      ...tokenizer,
      encode: (text, words) => {
        encoded++;
        return tokenizer.encode(text, words);
      },
    };
    const batches = ways[0]![1](data, upTo(20), { ahead: 3, text: { words: 6, tokenizer: counting } });
    for (let taken = 1; taken <= 4; taken++) {
      await batches.next();
      const begun = 2 * (taken + 3);
      await vi.waitFor(() => expect(encoded).toBe(begun), { timeout: 300_000 });
      // If there were more, they would begin now.
      await new Promise((done) => setTimeout(done, 30));
      expect(encoded).toBe(begun);
    }
    await batches.return(undefined);
    expect(encoded).toBe(14);
  });

  /** Runs the body in a process of its own, which must come to its end by itself. */
  const ends = async (body: string): Promise<string> => {
    const dir = await dataFolder(at(`set-${folders++}`), names(8));
    const script = `
      const { loadBatches } = await import(${JSON.stringify(await bundled('data/batches'))});
      const { openDataset } = await import(${JSON.stringify(await bundled('data/dataset'))});
      const { openTokenizer } = await import(${JSON.stringify(await bundled('text/tokenizer'))});
      const data = await openDataset(${JSON.stringify(dir)}, 'train', { onBad: 'stop', report() {} });
      const tokenizer = await openTokenizer(${JSON.stringify(at('vocab.txt'))});
      const batches = loadBatches(data, [0, 1, 2, 3, 4, 5, 6, 7], {
        batch: 2, height: 64, width: 64, text: { words: 6, tokenizer }, ahead: 2, onBad: 'stop', report() {}, threads: 2,
      });
      const threads = () => process.report.getReport().workers.length;
      ${body}`;
    const args = ['--input-type=module', '-e', script];
    return (await promisify(execFile)(process.execPath, args, { timeout: 600_000 })).stdout.trim();
  };

  test('a loop that is left early ends its threads', async () => {
    const body = 'for await (const _ of batches) { console.log(threads()); break; } console.log(threads());';
    expect(await ends(body)).toBe('2\n0');
  });

  test('a consumer that fails ends them too', async () => {
    const body =
      'try { for await (const _ of batches) throw new Error("enough"); } catch (e) { console.log(e.message, threads()); }';
    expect(await ends(body)).toBe('enough 0');
  });

  test('a decoder of the caller keeps its threads from epoch to epoch, until it is closed', async () => {
    const body = `
      await batches.return();
      const { openDecoder } = await import(${JSON.stringify(await bundled('data/decoder'))});
      const decoder = await openDecoder(2);
      const options = { batch: 2, height: 64, width: 64, text: undefined, ahead: 2, onBad: 'stop', report() {}, decoder };
      const ids = () => process.report.getReport().workers.map(({ header }) => header.threadId).sort().join();
      for (let epoch = 0; epoch < 2; epoch++) {
        let count = 0;
        for await (const _ of loadBatches(data, [0, 1, 2, 3, 4, 5, 6, 7], options)) count++;
        console.log(count, ids());
      }
      await decoder.close();
      console.log(threads());`;
    expect(await ends(body)).toBe('4 1,2\n4 1,2\n0');
  });

  test('an evaluation and a training decode on the given number of threads, over epochs', async () => {
    const body = `
      await batches.return();
      const { evaluate } = await import(${JSON.stringify(await bundled('evaluation/evaluate'))});
      const { stepBatches } = await import(${JSON.stringify(await bundled('training/data'))});
      const sizes = { batch: 4, height: 64, width: 64 };
      const [onBad, text, report, seen] = ['stop', undefined, () => undefined, []];
      const predict = async () => {
        seen.push(threads());
        return { dtype: 'f32', shape: [4, 1, 64, 64], data: new Float32Array(4 * 64 * 64) };
      };
      await evaluate(predict, data, { protocol: 'lavt', ...sizes, text, onBad, report, decodeThreads: 3 });
      const plan = { stepsPerEpoch: 2, perStep: 4 };
      const how = { accumulate: 1, seed: 1, augment: false, blank: false, onBad, report, decodeThreads: 2 };
      let steps = 0;
      for await (const _ of stepBatches(1, { data: { train: data, text, sizes }, plan, ...how })) {
        seen.push(threads());
        if (++steps === 5) break;
      }
      console.log(seen.join(), threads());`;
    expect(await ends(body)).toBe('3,3,2,2,2,2,2 0');
  });

  test('batches that are forgotten keep no process alive', async () => {
    expect(await ends('await batches.next(); console.log("forgotten");')).toBe('forgotten');
  });
});
