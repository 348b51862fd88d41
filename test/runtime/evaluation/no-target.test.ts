import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Dataset, openDataset } from '../../../runtime/data/dataset.ts';
import { bounds, metrics } from '../../../runtime/evaluation/bootstrap.ts';
import { evaluate } from '../../../runtime/evaluation/evaluate.ts';
import { reportPage } from '../../../runtime/evaluation/page.ts';
import { reportCsv, reportOf, scoresCsv } from '../../../runtime/evaluation/report.ts';
import { picture } from '../data/data-folder.ts';
import { temporaryFolder } from '../temporary-folder.ts';

type Box = readonly [number, number, number, number];

/** Made by make-data-sets.py, as are the scores of plain evaluations of it. */
interface Golden {
  readonly width: number;
  readonly height: number;
  readonly samples: readonly {
    readonly image: number;
    readonly category: string;
    readonly target: Box | null;
    readonly guess: Box | null;
  }[];
}

const at = temporaryFolder();
let golden: Golden & Readonly<Record<'lavt' | 'rrsis' | 'caris' | 'gres', unknown>>;
let dataset: Dataset;

beforeAll(async () => {
  golden = JSON.parse(await readFile('test/goldens/protocols.json', 'utf8'));
  const { width, height, samples } = golden;
  const dir = at('data');
  await mkdir(`${dir}/images`, { recursive: true });
  for (const image of new Set(samples.map(({ image }) => image))) {
    await picture(`${dir}/images/${image}.png`, width, height, [image, 9, 9]);
  }
  const lines = samples.map(({ image, category, target }, i) => {
    const polygons = target && [corners(target)];
    const mask = polygons && { size: [height, width], polygons };
    return JSON.stringify({ image: `${image}.png`, phrase: `it ${i}`, category, mask });
  });
  await writeFile(`${dir}/samples_test.jsonl`, `${lines.join('\n')}\n`);
  dataset = await openDataset(dir, 'test', { onBad: 'stop', report: (line) => expect.fail(line) });
});

const corners = ([x0, y0, x1, y1]: Box) => [x0, y0, x1, y0, x1, y1, x0, y1];

/** A model that answers with the boxes of the golden, in order. */
function predictor() {
  const { width, height, samples } = golden;
  let next = 0;
  return async () => {
    const data = new Float32Array(width * height).fill(-1);
    const [x0, y0, x1, y1] = samples[next++]!.guess ?? [0, 0, 0, 0];
    for (let y = y0; y < y1; y++) data.fill(1, y * width + x0, y * width + x1);
    return { dtype: 'f32', shape: [1, 1, height, width], data } as const;
  };
}

const run = (protocol: 'lavt' | 'rrsis' | 'caris' | 'gres', at: 'model' | 'original') =>
  evaluate(predictor(), dataset, {
    protocol,
    at,
    batch: 1,
    height: golden.height,
    width: golden.width,
    text: undefined,
    onBad: 'stop',
    report: (line) => expect.fail(line),
  });

describe.each(['lavt', 'rrsis', 'caris', 'gres'] as const)('%s', (protocol) => {
  test.each(['model', 'original'] as const)(
    'at the %s size, which is the same: as plain Python, to the last digit',
    async (at) => {
      const { oIoU, mIoU, precision, noTarget, classMeans } = await run(protocol, at);
      const shown = JSON.parse(JSON.stringify({ oIoU, mIoU, precision, noTarget, classMeans }));
      expect(shown).toEqual(golden[protocol]);
    },
  );
});

test('protocols differ where they should', async () => {
  const [lavt, gres] = [await run('lavt', 'model'), await run('gres', 'model')];
  expect(gres.mIoU).toBeGreaterThan(lavt.mIoU);
  // GRES clears answers of 35 pixels, of which one was to a phrase without a target.
  expect(gres.noTarget!.nAcc).toBeGreaterThan(lavt.noTarget!.nAcc);
  expect(gres.noTarget!.tAcc).toBeLessThan(lavt.noTarget!.tAcc);
});

test('files have the metrics, and of each sample whether it has a target', async () => {
  const found = await run('gres', 'model');
  const subject = { model: 'M', file: 'm.crob', settings: [], weights: null, seed: 0, data: 'd', split: 'test' };
  const report = reportOf(
    {
      ...subject,
      phrases: true,
      height: 30,
      width: 40,
      words: null,
      device: 'cpu',
      dtype: 'f32',
      tf32: false,
      limited: false,
    },
    found,
    { crobc: '1', seconds: 1, seed: 0 },
  );
  const [heads, all] = scoresCsv(report).split('\r\n');
  expect(heads).toBe('group,value,samples,oIoU,mIoU,Pr@0.5,Pr@0.6,Pr@0.7,Pr@0.8,Pr@0.9,gIoU,cIoU,N-acc,T-acc');
  const { gIoU, cIoU, nAcc, tAcc } = found.noTarget!;
  expect(all!.split(',').slice(-4).map(Number)).toEqual([gIoU, cIoU, nAcc, tAcc]);
  expect(scoresCsv(report)).toMatch(/\r\nmean of categories,,,0\.\d+,/);
  const page = reportPage(report, { best: [], worst: [], random: [] });
  for (const name of ['gIoU', 'cIoU', 'N-acc', 'T-acc']) expect(page).toContain(`<span>${name}</span>`);
  const rows = reportCsv(report).split('\r\n');
  expect(rows[0]).toMatch(/,iou,target,predicted$/);
  expect(rows.filter((row) => row.includes(',false,'))).toHaveLength(
    golden.samples.filter(({ target }) => !target).length,
  );
});

test('bounds are those of a resampling by images, from the seed alone', async () => {
  const { each } = await run('lavt', 'model');
  const samples = each.map(({ sample, iou, intersection, union }) => ({
    image: sample.image,
    iou,
    intersection,
    union,
    target: true,
  }));
  const found = bounds({ protocol: 'lavt', each: samples }, 3);
  expect(bounds({ protocol: 'lavt', each: samples }, 3)).toEqual(found);
  expect(bounds({ protocol: 'lavt', each: samples }, 4)).not.toEqual(found);
  const mean = samples.reduce((sum, { iou }) => sum + iou, 0) / samples.length;
  for (const metric of metrics) expect(found[metric].low).toBeLessThan(found[metric].high);
  expect(found.mIoU.low).toBeLessThan(mean);
  expect(found.mIoU.high).toBeGreaterThan(mean);
  // About two standard errors of the mean over images to each side: here with images of two phrases each.
  const means = [...new Set(samples.map(({ image }) => image))].map((image) => {
    const of = samples.filter((sample) => sample.image === image);
    return of.reduce((sum, { iou }) => sum + iou, 0) / of.length;
  });
  const deviation = Math.sqrt(means.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (means.length - 1));
  const error = deviation / Math.sqrt(means.length);
  expect(Math.abs(found.mIoU.high - found.mIoU.low - 3.92 * error)).toBeLessThan(error);
});
