import { expect, test } from 'vitest';
import { metrics } from '../../../runtime/evaluation/bootstrap.ts';
import { compareReports } from '../../../runtime/evaluation/compare.ts';
import { compareSeeds, overSeeds } from '../../../runtime/evaluation/compare-seeds.ts';
import { tinyReport } from './tiny-report.ts';

const spread = Array.from({ length: 200 }, (_, i) => (i * 37) % 80);
const raised = (by: number) => tinyReport(spread.map((n) => n + by));

test('the mean, and the standard deviation of a sample', () => {
  // By hand: the squares of -2, 0 and 2 are 8 in all, and 8 / 2 is 4.
  expect(overSeeds([3, 5, 7])).toEqual({ mean: 5, deviation: 2, values: [3, 5, 7] });
  expect(overSeeds([3])).toEqual({ mean: 3, deviation: undefined, values: [3] });
});

test('with one seed, the bounds are those of a comparison of two reports', () => {
  const [a, b] = [tinyReport(spread), tinyReport(spread.map((n, i) => Math.max(0, n - (i % 7))))];
  const [, expected] = compareReports([a, b], ['a', 'b'], 5);
  const found = compareSeeds(
    [
      { label: 'b', reports: [b] },
      { label: 'a', reports: [a] },
    ],
    1,
    5,
  );
  expect(found[1]!.differences).toBeUndefined();
  for (const metric of metrics) {
    expect(found[0]!.differences![metric]).toMatchObject({ ...expected!.differences![metric] });
    expect(found[0]!.values[metric]).toEqual({
      mean: expected!.values[metric],
      deviation: undefined,
      values: [expected!.values[metric]],
    });
  }
});

test('a difference that every seed and image has is clear; one that only a seed has is not', () => {
  const base = { label: 'base', reports: [raised(0), raised(0), raised(0)] };
  const [, always, once] = compareSeeds(
    [
      base,
      { label: 'always', reports: [raised(10), raised(10), raised(10)] },
      { label: 'once', reports: [raised(20), raised(0), raised(0)] },
    ],
    0,
    0,
  );
  expect(always!.differences!.mIoU.difference).toBeCloseTo(0.1, 12);
  expect(always!.differences!.mIoU.low).toBeCloseTo(0.1, 12);
  expect(always!.differences!.mIoU.p).toBe(2 / 2001);
  expect(once!.differences!.mIoU.difference).toBeCloseTo(0.2 / 3, 12);
  expect(once!.differences!.mIoU.low).toBeCloseTo(0, 12);
  // A resample has this seed never with a chance of (2/3)³, and thrice with one of 1/27.
  expect(once!.differences!.mIoU.high).toBeCloseTo(0.2, 12);
  expect(once!.differences!.mIoU.p).toBeGreaterThan(0.54);
  expect(once!.differences!.mIoU.p).toBeLessThan(0.65);
});

test('the bounds are as wide as theory says for images that differ and seeds that do not', () => {
  // Both samples of an image differ by the same amount.
  const change = spread.map((_, i) => (((i >> 1) * 53) % 41) - 20);
  const base = tinyReport(spread.map(() => 50));
  const other = tinyReport(change.map((n) => 50 + n));
  const [, found] = compareSeeds(
    [
      { label: 'a', reports: [base, base] },
      { label: 'b', reports: [other, other] },
    ],
    0,
    3,
  );
  const perImage = change.filter((_, i) => i % 2 === 0).map((n) => n / 100);
  const mean = perImage.reduce((x, y) => x + y, 0) / 100;
  const deviation = Math.sqrt(perImage.reduce((s, x) => s + (x - mean) ** 2, 0) / 100);
  const { low, high } = found!.differences!.mIoU;
  const width = (2 * 1.96 * deviation) / Math.sqrt(100);
  expect((high - low) / width).toBeGreaterThan(0.93);
  expect((high - low) / width).toBeLessThan(1.07);
});

test('other samples do not compare', () => {
  const models = [
    { label: 'a', reports: [raised(0)] },
    { label: 'b', reports: [tinyReport(spread.slice(1))] },
  ];
  expect(() => compareSeeds(models, 0, 0)).toThrow('a and b do not compare: they have 200 and 199 samples');
});
