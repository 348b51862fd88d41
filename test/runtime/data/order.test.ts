import { describe, expect, test } from 'vitest';
import { epochOrder, epochSamples } from '../../../runtime/data/order.ts';
import type { Sample } from '../../../runtime/data/sample.ts';

/** From a Philox and a shuffle of their own, written in Python's whole numbers and checked by Random123's known answers. */
describe('the order of an epoch is the same on every machine', () => {
  test('of twelve samples', () => {
    expect([...epochOrder(12, 7, 3)]).toEqual([5, 11, 0, 3, 1, 2, 4, 6, 10, 7, 9, 8]);
  });

  test('of a seed over 32 bits', () => {
    expect([...epochOrder(12, 2 ** 40 + 5, 0)]).toEqual([2, 10, 11, 9, 1, 5, 0, 4, 8, 6, 3, 7]);
  });

  test('of ten thousand', () => {
    const order = epochOrder(10_000, 1, 2);
    expect([...order.subarray(0, 5)]).toEqual([6557, 8107, 9575, 1579, 6323]);
    expect([...order.subarray(-5)]).toEqual([5745, 4370, 7415, 3474, 1432]);
    expect(order.reduce((sum, i) => (sum * 31 + i) % 1_000_003, 0)).toBe(792_972);
  });
});

test('each sample once; other epochs and seeds, other orders; none and one', () => {
  const first = epochOrder(500, 1, 0);
  expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, i) => i));
  expect(epochOrder(500, 1, 1)).not.toEqual(first);
  expect(epochOrder(500, 2, 0)).not.toEqual(first);
  expect([...epochOrder(0, 1, 0)]).toEqual([]);
  expect([...epochOrder(1, 1, 0)]).toEqual([0]);
});

test('every order of four samples is as likely as another', () => {
  const counts = new Map<string, number>();
  const epochs = 24 * 400;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const key = epochOrder(4, 11, epoch).join('');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  const chiSquared = [...counts.values()].reduce((sum, n) => sum + (n - 400) ** 2 / 400, 0);
  // 23 degrees of freedom: one fair shuffle in a thousand is above 49.7, and this one is always the same.
  expect(chiSquared).toBeLessThan(49.7);
});

test('the samples of an epoch: the place of a line that makes none goes to the next one that does', () => {
  const lines = 12;
  const order = [...epochOrder(lines, 7, 3)].map((place) => place + 1);
  const without = (...bad: readonly number[]) => {
    const samples = Array.from({ length: lines }, (_, i) => i + 1)
      .filter((line) => !bad.includes(line))
      .map((line) => ({ line }) as Sample);
    return [...epochSamples({ samples, lines }, 7, 3)].map((index) => samples[index]!.line);
  };
  expect(order).toEqual([6, 12, 1, 4, 2, 3, 5, 7, 11, 8, 10, 9]);
  expect(without()).toEqual(order);
  expect(without(4)).toEqual([6, 12, 1, 2, 2, 3, 5, 7, 11, 8, 10, 9]);
  // The last one in the order, and two that follow one another.
  expect(without(9, 12, 1)).toEqual([6, 4, 4, 4, 2, 3, 5, 7, 11, 8, 10, 6]);
});
