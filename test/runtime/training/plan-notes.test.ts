import { describe, expect, test } from 'vitest';
import type { Optimizer, SchedulePart } from '../../../compiler/training/recipe.ts';
import { planNotes } from '../../../runtime/training/plan-notes.ts';

const optimizer: Optimizer = { kind: 'SGD', lr: 0.01, momentum: 0, weightDecay: 0 };
const warmup = (steps: number): SchedulePart => ({ kind: 'warmup', steps });
const poly: SchedulePart = { kind: 'poly', power: 0.9, end: 0 };
const base = {
  optimizer,
  schedule: [warmup(100), poly],
  length: { steps: 450 },
  evaluateEvery: 45,
  earlyStop: undefined,
  sources: new Map([['evaluate_every', 'default']]),
} as const;
const plan = { steps: 450, evaluateEvery: 45 };
const given = new Map([['evaluate_every', 'a.crob:3']]);

describe('notes of a plan', () => {
  test('none, where everything that the recipe says has an effect', () => {
    expect(planNotes({ ...base, earlyStop: 9, sources: given }, plan)).toEqual([]);
    expect(planNotes({ ...base, schedule: [warmup(450)] }, plan)).toEqual([]);
    expect(planNotes({ ...base, schedule: [poly] }, { ...plan, steps: 1 })).toEqual([]);
  });

  test('a warm-up that is longer than the run, or leaves nothing behind it', () => {
    expect(planNotes(base, { steps: 80, evaluateEvery: 8 })).toEqual([
      'the warm-up takes 100 steps and the run has 80: the learning rate comes to 0.008 of 0.01, and poly has no effect',
    ]);
    expect(planNotes(base, { steps: 100, evaluateEvery: 10 })).toEqual([
      'the warm-up takes 100 steps and the run has 100: the learning rate comes to 0.01 of 0.01, and poly has no effect',
    ]);
    expect(planNotes({ ...base, schedule: [warmup(1000)] }, plan)).toEqual([
      'the warm-up takes 1,000 steps and the run has 450: the learning rate comes to 0.0045 of 0.01',
    ]);
  });

  test('an interval of the recipe that is longer than the run', () => {
    const alone = 'it is evaluated after the last step alone';
    expect(planNotes({ ...base, evaluateEvery: 500, sources: given }, { ...plan, evaluateEvery: 500 })).toEqual([
      `evaluate_every = 500 is longer than the run of 450 steps: ${alone}`,
    ]);
    const epochs = { ...base, length: { epochs: 3 }, evaluateEvery: 5, sources: given };
    expect(planNotes(epochs, { ...plan, evaluateEvery: 750 })).toEqual([
      `evaluate_every = 5 epochs (750 steps) is longer than the run of 450 steps: ${alone}`,
    ]);
  });

  test('an early stop that has too few evaluations to come', () => {
    expect(planNotes({ ...base, earlyStop: 10 }, plan)).toEqual([
      'early_stop = 10 has no effect: the run has 10 evaluations',
    ]);
    expect(planNotes({ ...base, earlyStop: 2 }, { ...plan, evaluateEvery: 0 })).toEqual([]);
  });
});
