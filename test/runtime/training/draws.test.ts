import { describe, expect, test } from 'vitest';
import { draw, fillDraw } from '../../../runtime/training/draws.ts';

const key = { seed: 1, step: 3, micro: 0 };

describe('draws', () => {
  test('are uniform in [0, 1)', () => {
    const n = 100_000;
    const found = draw('a', [n], key);
    expect(found.every((v) => v >= 0 && v < 1)).toBe(true);
    const mean = found.reduce((sum, v) => sum + v, 0) / n;
    const variance = found.reduce((sum, v) => sum + (v - 0.5) ** 2, 0) / n;
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 / Math.sqrt(12 * n));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(1e-3);
  });

  test('differ by name, seed, step and micro-batch, and by nothing else', () => {
    const first = draw('a', [2, 3], key);
    expect(draw('a', [6], key)).toEqual(first);
    expect(draw('a', [5], key)).toEqual(first.slice(0, 5));
    const others = [
      draw('b', [6], key),
      draw('a', [6], { ...key, seed: 2 }),
      draw('a', [6], { ...key, step: 4 }),
      draw('a', [6], { ...key, micro: 1 }),
    ];
    const all = new Set([first, ...others].map((values) => values.join()));
    expect(all.size).toBe(5);
  });

  test('fill part of a buffer and leave the rest', () => {
    const buffer = new Float32Array(10).fill(7);
    fillDraw(buffer.subarray(2, 7), 'a', key);
    expect(buffer.subarray(2, 7)).toEqual(draw('a', [5], key));
    expect([...buffer.subarray(0, 2), ...buffer.subarray(7)]).toEqual([7, 7, 7, 7, 7]);
  });

  test('are the same for ever: these come from an implementation of Philox in Python', () => {
    expect([...draw('uniform/a', [4], { seed: 5, step: 2, micro: 1 })]).toEqual([
      0.08580255508422852, 0.9065649509429932, 0.02411562204360962, 0.8799634575843811,
    ]);
  });
});
