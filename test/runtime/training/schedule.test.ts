import { describe, expect, test } from 'vitest';
import type { SchedulePart } from '../../../compiler/training/recipe.ts';
import { scheduleFactor } from '../../../runtime/training/schedule.ts';

const series = (parts: readonly SchedulePart[], n: number) =>
  Array.from({ length: n }, (_, i) => scheduleFactor(parts, i, n));

describe('one part', () => {
  test('none is constant', () => {
    expect(series([], 3)).toEqual([1, 1, 1]);
    expect(series([{ kind: 'constant', factor: 0.25 }], 2)).toEqual([0.25, 0.25]);
  });

  test('poly is (1 - i/n)^power, as torch.optim.lr_scheduler.PolynomialLR', () => {
    // PolynomialLR(SGD(lr=1), total_iters=4, power=0.9): get_last_lr() before each of four steps.
    const torch = [1.0, 0.7718895, 0.5358867, 0.2871746];
    for (const [i, factor] of series([{ kind: 'poly', power: 0.9, end: 0 }], 4).entries())
      expect(factor).toBeCloseTo(torch[i]!, 6);
  });

  test('cosine goes through a half at the middle, as CosineAnnealingLR', () => {
    // CosineAnnealingLR(SGD(lr=1), T_max=4, eta_min=0.2).
    const torch = [1.0, 0.8828427, 0.6, 0.3171573];
    for (const [i, factor] of series([{ kind: 'cosine', end: 0.2 }], 4).entries())
      expect(factor).toBeCloseTo(torch[i]!, 6);
  });

  test('a floor is approached from above', () => {
    const factors = series([{ kind: 'poly', power: 2, end: 0.5 }], 100);
    expect(factors[50]).toBe(0.5 + 0.5 * 0.25);
    expect(Math.min(...factors)).toBeGreaterThan(0.5);
  });
});

describe('chains', () => {
  test('warm-up, then poly over the steps that are left', () => {
    const parts: SchedulePart[] = [
      { kind: 'warmup', steps: 2 },
      { kind: 'poly', power: 1, end: 0 },
    ];
    expect(series(parts, 6)).toEqual([0.5, 1, 1, 0.75, 0.5, 0.25]);
  });

  test('warm-up leads to what follows', () => {
    const parts: SchedulePart[] = [
      { kind: 'warmup', steps: 4 },
      { kind: 'constant', factor: 0.5 },
    ];
    expect(series(parts, 6)).toEqual([0.125, 0.25, 0.375, 0.5, 0.5, 0.5]);
  });

  test('two parts without a length share the rest', () => {
    const parts: SchedulePart[] = [
      { kind: 'warmup', steps: 1 },
      { kind: 'constant', factor: 1 },
      { kind: 'cosine', end: 0 },
    ];
    expect(series(parts, 6).map((v) => Math.round(v * 1e9) / 1e9)).toEqual([1, 1, 1, 1, 0.75, 0.25]);
  });

  test('a warm-up longer than the run just ends', () => {
    const parts: SchedulePart[] = [
      { kind: 'warmup', steps: 10 },
      { kind: 'poly', power: 1, end: 0 },
    ];
    expect(series(parts, 3)).toEqual([0.1, 0.2, 0.3]);
  });

  test('a step past the end stays at the end', () => {
    expect(scheduleFactor([{ kind: 'poly', power: 0.9, end: 0.1 }], 12, 10)).toBe(0.1);
    expect(scheduleFactor([{ kind: 'warmup', steps: 2 }], 7, 10)).toBe(1);
  });
});
