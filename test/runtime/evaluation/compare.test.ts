import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { metrics } from '../../../runtime/evaluation/bootstrap.ts';
import { compareReports } from '../../../runtime/evaluation/compare.ts';
import { readReport, shownPrecision } from '../../../runtime/evaluation/report.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { tinyReport } from './tiny-report.ts';

const at = temporaryFolder();

const spread = Array.from({ length: 200 }, (_, i) => (i * 37) % 101);

test('values are those of the samples, and differences go against the first', () => {
  const better = spread.map((n) => Math.min(100, n + 10));
  const [a, b, c] = compareReports([tinyReport(spread), tinyReport(better), tinyReport(spread)], ['a', 'b', 'c'], 0);
  const mean = (all: readonly number[]) => all.reduce((x, y) => x + y, 0) / all.length / 100;
  expect(a!.differences).toBeUndefined();
  expect(a!.values.mIoU).toBeCloseTo(mean(spread), 12);
  expect(a!.values.oIoU).toBeCloseTo(mean(spread), 12);
  expect(a!.values['Pr@0.7']).toBe(spread.filter((n) => n >= 70).length / 200);
  const gain = b!.differences!.mIoU;
  expect(gain.difference).toBeCloseTo(mean(better) - mean(spread), 12);
  expect(gain.low).toBeGreaterThan(0.08);
  expect(gain.low).toBeLessThan(gain.difference);
  expect(gain.high).toBeGreaterThan(gain.difference);
  for (const metric of metrics) expect(c!.differences![metric]).toEqual({ difference: 0, low: 0, high: 0 });
});

test('the bounds are as wide as the theory of means says, over images and not over samples', () => {
  // Both samples of an image differ by the same amount: there are 100 independent differences, and not 200.
  const change = spread.map((_, i) => (((i >> 1) * 53) % 41) - 20);
  const base = spread.map(() => 50);
  const other = base.map((n, i) => n + change[i]!);
  const [, b] = compareReports([tinyReport(base), tinyReport(other)], ['a', 'b'], 3);
  const { difference, low, high } = b!.differences!.mIoU;
  const perImage = change.filter((_, i) => i % 2 === 0).map((n) => n / 100);
  const mean = perImage.reduce((x, y) => x + y, 0) / 100;
  const deviation = Math.sqrt(perImage.reduce((s, x) => s + (x - mean) ** 2, 0) / 100);
  expect(difference).toBeCloseTo(mean, 12);
  const width = (2 * 1.96 * deviation) / Math.sqrt(100);
  expect((high - low) / width).toBeGreaterThan(0.93);
  expect((high - low) / width).toBeLessThan(1.07);
});

test('the seed decides the bounds', () => {
  const other = tinyReport(spread.map((n, i) => Math.max(0, n - (i % 7))));
  const bounds = (seed: number) => compareReports([tinyReport(spread), other], ['a', 'b'], seed)[1]!.differences!.mIoU;
  expect(bounds(4)).toEqual(bounds(4));
  expect(bounds(4).low).not.toBe(bounds(5).low);
});

test('a sample without IoU makes the mean none, and nothing else', () => {
  const { each } = tinyReport(spread);
  const broken = tinyReport(spread, {
    protocol: 'caris',
    each: [{ ...each[0]!, iou: null, intersection: 0, union: 0 }, ...each.slice(1)],
  });
  const [, b] = compareReports([tinyReport(spread, { protocol: 'caris' }), broken], ['a', 'b'], 0);
  expect(b!.values.mIoU).toBeNaN();
  expect(b!.differences!.mIoU.low).toBeNaN();
  expect(b!.differences!.oIoU.low).not.toBeNaN();
});

test.each([
  [{ protocol: 'cris' } as const, 'their protocols are lavt and cris'],
  [{ at: 'original' } as const, 'their masks are compared at the model and the original size'],
  [{ each: tinyReport(spread.slice(1)).each }, 'they have 200 and 199 samples'],
  [
    { each: tinyReport(spread).each.map((s) => (s.line === 3 ? { ...s, phrase: 'another' } : s)) },
    'sample 3 is data/output_phrase_test.txt:3 in one and data/output_phrase_test.txt:3 in the other',
  ],
])('reports of something else are refused: %#', (changes, why) => {
  expect(() => compareReports([tinyReport(spread), tinyReport(spread, changes)], ['a.json', 'b.json'], 0)).toThrow(
    `a.json and b.json do not compare: ${why}`,
  );
});

describe('reading', () => {
  test('what was written is read again', async () => {
    const written = tinyReport(spread, { mIoU: Number.NaN });
    await writeFile(at('r.json'), JSON.stringify(written));
    const { model, split, weights, seed, phrases, protocol, at: size, each } = written;
    expect(await readReport(at('r.json'))).toEqual({
      model,
      split,
      weights,
      seed,
      phrases,
      protocol,
      at: size,
      dtype: 'f32',
      tf32: false,
      each,
    });
  });

  test('a precision other than f32 is said', () => {
    const shown = (dtype: 'f32' | 'f16' | 'bf16' | null, tf32: boolean | null) => shownPrecision({ dtype, tf32 });
    expect([shown('f32', false), shown('f32', true), shown('f16', true), shown(null, null)]).toEqual([
      ...['', ' in TF32', ' in f16', ''],
    ]);
  });

  const good = tinyReport([50, 60]);
  test.each([
    ['{', /is not JSON$/],
    ['null', /it is no object$/],
    ['{}', /"model" is missing$/],
    [JSON.stringify({ ...good, protocol: 'toString' }), /"protocol" is "toString"$/],
    [JSON.stringify({ ...good, weights: [] }), /"weights" is \[\]$/],
    [JSON.stringify({ ...good, protocol: ['x'.repeat(100)] }), /"protocol" is \["x{58}…$/],
    [JSON.stringify({ ...good, each: [] }), /"each" has no samples$/],
    [JSON.stringify({ ...good, each: [good.each[0], { ...good.each[1], iou: 2 }] }), /sample 2 of "each" is damaged$/],
    [JSON.stringify({ ...good, each: [null] }), /sample 1 of "each" is damaged$/],
    [JSON.stringify({ ...good, each: [{ ...good.each[0], union: -1 }] }), /sample 1 of "each" is damaged$/],
  ])('%.40s is no report', async (text, why) => {
    await writeFile(at('bad.json'), text);
    await expect(readReport(at('bad.json'))).rejects.toThrow(why);
  });

  test('one that is not there', async () => {
    await expect(readReport(at('none.json'))).rejects.toThrow(/^cannot read .*none\.json: no such file or folder$/);
  });
});
