import { mkdir, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Dataset, openDataset } from '../../../runtime/data/dataset.ts';
import {
  type Evaluation,
  type EvaluationOptions,
  evaluate,
  type Predictor,
  spread,
} from '../../../runtime/evaluation/evaluate.ts';
import { openTokenizer, type Tokenizer } from '../../../runtime/text/tokenizer.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();
const side = 8;
const count = 11;
/** What the model is made to answer, and what is true; a pixel is on where its number is below the sample's bound. */
const plane = (salt: number, bound: number, size = side) =>
  Array.from({ length: size * size }, (_, i) => ((i * 7919 + salt * 104729) % 97 < bound ? 1 : 0));
const answered = Array.from({ length: count }, (_, i) => plane(i, (i * 9) % 97));
/** The fourth and the last are empty, and the last is so in the answer, too. */
const truths = Array.from({ length: count }, (_, i) => (i % 10 === 3 || i === 10 ? plane(i, 0) : plane(i + 1, 40)));
answered[10] = plane(10, 0);

let dataset: Dataset;
let tokenizer: Tokenizer;
const problems: string[] = [];

async function write(dir: string, size: number): Promise<void> {
  await mkdir(`${dir}/img_rgb`, { recursive: true });
  await mkdir(`${dir}/mask`, { recursive: true });
  for (let i = 0; i < count; i++) {
    const scale = size / side;
    const grown = (bits: readonly number[]) =>
      Array.from(
        { length: size * size },
        (_, k) => bits[Math.floor(Math.floor(k / size) / scale) * side + Math.floor((k % size) / scale)]!,
      );
    const image = Uint8Array.from(grown(answered[i]!).flatMap((v) => [v * 255, 0, 90]));
    const mask = Uint8Array.from(grown(truths[i]!), (v) => v * 255);
    await sharp(image, { raw: { width: size, height: size, channels: 3 } })
      .png()
      .toFile(`${dir}/img_rgb/${i}.png`);
    await sharp(mask, { raw: { width: size, height: size, channels: 1 } })
      .png()
      .toFile(`${dir}/mask/${i}.png`);
  }
  const lines = Array.from({ length: count }, (_, i) => `${i}.png the white ship number ${i}\n`);
  await writeFile(`${dir}/output_phrase_test.txt`, lines.join(''));
  const attributes = Array.from({ length: count }, (_, i) =>
    JSON.stringify(
      i === 4 ? {} : { category: ['ship', 'court'][i % 2], attributes: { color: i < 5 ? 'white' : 'red' } },
    ),
  );
  await writeFile(`${dir}/attributes_test.jsonl`, `${attributes.join('\n')}\n`);
}

beforeAll(async () => {
  tokenizer = await openTokenizer('models/vocab/aerial.txt');
  await write(at('data'), side);
  await write(at('large'), side * 3);
  dataset = await openDataset(at('data'), 'test', { onBad: 'stop', report: (p) => problems.push(p) });
});

/** Finds what is red: the logit is ±2. */
const redness: Predictor = async ({ image }) => {
  const [batch = 0, , height = 0, width = 0] = image!.shape;
  const area = height * width;
  const data = new Float32Array(batch * area);
  for (let b = 0; b < batch; b++)
    for (let i = 0; i < area; i++) data[b * area + i] = image!.data[b * 3 * area + i]! > 0 ? 2 : -2;
  return { dtype: 'f32', shape: [batch, 1, height, width], data };
};

const run = (options: Partial<EvaluationOptions> = {}, predict = redness, of = dataset): Promise<Evaluation> =>
  evaluate(predict, of, {
    protocol: 'lavt',
    batch: 4,
    height: side,
    width: side,
    text: { words: 8, tokenizer },
    onBad: 'stop',
    report: (p) => problems.push(p),
    ...options,
  });

const areas = answered.map((a, i) => {
  const on = (bits: readonly number[]) => new Set(bits.flatMap((v, k) => (v ? [k] : [])));
  const [p, t] = [on(a), on(truths[i]!)];
  return { intersection: [...p].filter((k) => t.has(k)).length, union: new Set([...p, ...t]).size };
});

test('every sample is counted, in its order, and the padded rest of a batch is not', async () => {
  const found = await run();
  expect(found.each.map(({ intersection, union }) => ({ intersection, union }))).toEqual(areas);
  expect(found.each.map(({ sample }) => sample.line)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
  expect(found).toMatchObject({ protocol: 'lavt', at: 'model', samples: count, skipped: 0 });
  expect(found.each[10]).toMatchObject({ iou: 0, union: 0 });
  expect(found.each.some(({ iou }) => iou > 0.3)).toBe(true);
  const sum = (key: 'intersection' | 'union') => areas.reduce((n, area) => n + area[key], 0);
  expect(found.oIoU).toBe(sum('intersection') / sum('union'));
});

test('no figure depends on the batch size', async () => {
  const one = await run({ batch: 1 });
  for (const batch of [2, 3, 5, 11, 16]) expect(await run({ batch })).toEqual(one);
});

test('categories and attributes, where the data name them', async () => {
  const { byCategory, byAttribute } = await run();
  expect(Object.entries(byCategory).map(([name, { samples }]) => [name, samples])).toEqual([
    ['court', 5],
    ['ship', 5],
  ]);
  expect(Object.keys(byAttribute)).toEqual(['color']);
  expect(byAttribute.color!.red!.samples).toBe(6);
  expect(byAttribute.color!.white!.samples).toBe(4);
  const reds = areas.slice(5);
  expect(byAttribute.color!.red!.oIoU).toBe(
    reds.reduce((n, a) => n + a.intersection, 0) / reds.reduce((n, a) => n + a.union, 0),
  );
});

test('a limit takes samples from all over the split', async () => {
  expect(spread(10, 4)).toEqual([0, 2, 5, 7]);
  expect(spread(3, 8)).toEqual([0, 1, 2]);
  const found = await run({ limit: 3 });
  expect(found.each.map(({ sample }) => sample.line)).toEqual([1, 4, 8]);
  expect(found.skipped).toBe(0);
});

describe('at the size of the image', () => {
  test('every protocol counts the original pixels where it is asked to', async () => {
    const large = await openDataset(at('large'), 'test', { onBad: 'stop', report: (p) => problems.push(p) });
    const model = await run({ protocol: 'caris' }, redness, large);
    expect(model.at).toBe('model');
    expect(model.each.map(({ union }) => union)).toEqual(areas.map(({ union }) => union));
    for (const protocol of ['lavt', 'rrsis', 'caris', 'cris', 'gres'] as const) {
      const found = await run({ protocol, at: 'original' }, redness, large);
      expect(found.at).toBe('original');
      // The first answer is nothing, so that the union is the truth, whose pixels are nine times those of the model.
      const truth = truths[0]!.filter((v) => v === 1).length;
      expect(found.each[0]).toMatchObject({ intersection: 0, union: 9 * truth });
      expect(found.each[5]!.iou).toBeGreaterThan(0.2);
    }
  });

  test('a protocol that compares at one size refuses the other', async () => {
    await expect(run({ protocol: 'cris', at: 'model' })).rejects.toThrow('cris compares masks at the original size');
  });
});

test('without phrases, the model sees none', async () => {
  const seen: string[] = [];
  const listening: Predictor = (feeds) => {
    seen.push([...feeds.mask!.data].join(''));
    expect(Object.keys(feeds).sort()).toEqual(['image', 'mask', 'tokens']);
    return redness(feeds);
  };
  await run({ blank: true, batch: 11 }, listening);
  expect(seen).toEqual(['11000000'.repeat(11)]);
  const { each } = await run({ batch: 11 }, listening);
  expect(seen[1]).not.toBe(seen[0]);
  expect(each[0]!.sample.phrase).toBe('the white ship number 0');
});

test('logits that are no numbers, or of another size, are one line', async () => {
  const broken: Predictor = async (feeds) => {
    const logits = await redness(feeds);
    (logits.data as Float32Array)[70] = Number.NaN;
    return logits;
  };
  await expect(run({}, broken)).rejects.toThrow(
    /output_phrase_test\.txt:2: the model gave logits that are not numbers/,
  );
  const small: Predictor = async () => ({ dtype: 'f32', shape: [4, 1, 2, 2], data: new Float32Array(16) });
  await expect(run({}, small)).rejects.toThrow('the model gave [4, 1, 2, 2], and logits of images are [4, 1, 8, 8]');
});

test('a damaged mask is left out and counted, or ends it', async () => {
  await write(at('damaged'), side);
  const damaged = await openDataset(at('damaged'), 'test', { onBad: 'stop', report: (p) => problems.push(p) });
  const bytes = await sharp({ create: { width: side, height: side, channels: 3, background: 'white' } })
    .png()
    .toBuffer();
  await writeFile(`${at('damaged')}/mask/6.png`, bytes.subarray(0, bytes.length - 20));
  await expect(run({}, redness, damaged)).rejects.toThrow(/output_phrase_test\.txt:7: .*mask\/6\.png/);
  const again = await openDataset(at('damaged'), 'test', { onBad: 'skip', report: (p) => problems.push(p) });
  const found = await run({ onBad: 'skip' }, redness, again);
  expect(found).toMatchObject({ samples: count - 1, skipped: 1 });
  expect(found.each.map(({ sample }) => sample.line)).not.toContain(7);
});
