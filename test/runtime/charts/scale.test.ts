import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  brief,
  countScale,
  linearScale,
  logarithmicScale,
  percent,
  powerScale,
  rangeOf,
} from '../../../runtime/charts/scale.ts';
import { holds } from '../../property.ts';

const labels = ({ ticks }: { readonly ticks: readonly { readonly label: string }[] }) =>
  ticks.map(({ label }) => label);

describe('ticks', () => {
  test.each([
    [0, [0, 1]],
    [1, [0, 1]],
    [4, [0, 1, 2, 3, 4]],
    [7, [0, 2, 4, 6, 8]],
    [71, [0, 20, 40, 60, 80]],
    [100, [0, 20, 40, 60, 80, 100]],
    [26_300, [0, 10_000, 20_000, 30_000]],
  ])('of counts up to %i', (most, at) => {
    expect(countScale(most).ticks.map((tick) => tick.at)).toEqual(at);
  });

  test('have separators, and shares are per cent', () => {
    expect(labels(countScale(26_300))).toEqual(['0', '10,000', '20,000', '30,000']);
    expect(labels(powerScale([0.003, 0.2], percent))).toEqual(['0.1 %', '1 %', '10 %', '100 %']);
    expect(labels(powerScale([0.01, 0.1], percent))).toEqual(['1 %', '10 %']);
    expect(percent(0.123456)).toBe('12.3 %');
  });

  test('have the decimals of their distance', () => {
    expect(labels(linearScale([0.31, 1]))).toEqual(['0.2', '0.4', '0.6', '0.8', '1.0']);
    expect(labels(linearScale([-0.02, 0.03]))).toEqual(['-0.02', '-0.01', '0.00', '0.01', '0.02', '0.03']);
  });

  test('of logarithms are round numbers within the range', () => {
    expect(labels(logarithmicScale([1.5e6, 2.5e7], brief))).toEqual(['2 M', '3 M', '5 M', '7 M', '10 M', '20 M']);
    expect(labels(logarithmicScale([9e3, 3e9], brief))).toEqual(['10 k', '100 k', '1 M', '10 M', '100 M', '1 G']);
  });

  test('of a range of one number are around it', () => {
    expect(rangeOf([5, 5])).toEqual([4.75, 5.25]);
    expect(rangeOf([])).toEqual([0, 1]);
    expect(rangeOf([Number.NaN, 3, 1])).toEqual([1, 3]);
  });
});

const pair = fc
  .tuple(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.double({ min: 1e-6, max: 1e6, noNaN: true }))
  .map(([low, wide]) => [low, low + wide] as const);

test('a scale holds its range, and its ticks rise by even steps', () => {
  holds(
    fc.property(pair, fc.boolean(), ([low, high], exact) => {
      fc.pre(high > low);
      const scale = linearScale([low, high], { exact });
      // Narrow ranges far from 0 are only as exact as the numbers themselves.
      const off = 1e-6 + (8 * Number.EPSILON * Math.max(Math.abs(low), Math.abs(high))) / (high - low);
      expect(scale.share(low)).toBeGreaterThanOrEqual(-off);
      expect(scale.share(high)).toBeLessThanOrEqual(1 + off);
      const shares = scale.ticks.map(({ at }) => scale.share(at));
      for (const share of shares) expect(Math.abs(share - 0.5)).toBeLessThanOrEqual(0.5 + off);
      const steps = shares.slice(1).map((share, i) => share - shares[i]!);
      for (const step of steps) expect(Math.abs(step - steps[0]!)).toBeLessThanOrEqual(5 * off);
      expect(scale.ticks.length).toBeLessThanOrEqual(9);
      if (!exact) expect(scale.ticks.length).toBeGreaterThanOrEqual(2);
    }),
    { seed: 1 },
  );
});
