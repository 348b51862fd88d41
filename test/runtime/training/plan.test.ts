import { describe, expect, test } from 'vitest';
import { isDue, planRun, positionOf } from '../../../runtime/training/plan.ts';

const base = {
  samples: 103,
  batch: 4,
  accumulate: 2,
  length: { epochs: 3 },
  evaluateEvery: 1,
  checkpointEvery: 1,
};

describe('a plan', () => {
  test('counts whole steps of an epoch, and looks and saves after each epoch', () => {
    expect(planRun(base)).toEqual({ perStep: 8, stepsPerEpoch: 12, steps: 36, evaluateEvery: 12, checkpointEvery: 12 });
  });

  test('takes intervals in the unit of the length', () => {
    const every = { evaluateEvery: 2, checkpointEvery: 5 };
    expect(planRun({ ...base, ...every })).toMatchObject({ evaluateEvery: 24, checkpointEvery: 60 });
    expect(planRun({ ...base, ...every, length: { steps: 50 } })).toMatchObject({
      steps: 50,
      evaluateEvery: 2,
      checkpointEvery: 5,
    });
  });

  test('rounds a part of an epoch to steps', () => {
    expect(planRun({ ...base, length: { epochs: 0.5 } })).toMatchObject({ steps: 6 });
    expect(planRun({ ...base, length: { epochs: 0.01 } })).toMatchObject({ steps: 1 });
  });

  test('needs the samples of a step', () => {
    expect(() => planRun({ ...base, samples: 7 })).toThrow(
      'there are 7 samples and a step takes 2 batches of 4: take less in a step, as by --set B=3',
    );
  });

  test.each([
    [{ batch: 100, accumulate: 1 }, 'a batch is 100: take less in a step, as by --set B=32'],
    [{ batch: 4, accumulate: 9 }, 'a step takes 9 batches of 4: take less in a step, as by --set B=3'],
    [
      { batch: 4, accumulate: 100 },
      'a step takes 100 batches of 4: take less in a step, as by --set recipe.accumulate=8',
    ],
    [{ batch: 50, accumulate: 100 }, 'as by --set recipe.accumulate=1,B=32'],
  ])('advises what then does: %j', (sizes, message) => {
    expect(() => planRun({ ...base, samples: 32, ...sizes })).toThrow(message);
    const [, advice] = /--set (.*)$/.exec(message)!;
    const set = Object.fromEntries(advice!.split(',').map((one) => one.split('=')));
    const { 'recipe.accumulate': accumulate = sizes.accumulate, B: batch = sizes.batch } = set;
    const smaller = { accumulate: Number(accumulate), batch: Number(batch) };
    expect(planRun({ ...base, samples: 32, ...smaller }).stepsPerEpoch).toBeGreaterThan(0);
  });
});

test('something is due every so many steps and at the end', () => {
  const due = (every: number) =>
    Array.from({ length: 7 }, (_, i) => i + 1).filter((step) => isDue(every, step, { steps: 7 }));
  expect(due(3)).toEqual([3, 6, 7]);
  expect(due(0)).toEqual([]);
});

test('a step begins where the one before it ended', () => {
  const plan = { stepsPerEpoch: 3, perStep: 4 };
  expect(Array.from({ length: 7 }, (_, i) => positionOf(i + 1, plan))).toEqual([
    { epoch: 0, offset: 0 },
    { epoch: 0, offset: 4 },
    { epoch: 0, offset: 8 },
    { epoch: 1, offset: 0 },
    { epoch: 1, offset: 4 },
    { epoch: 1, offset: 8 },
    { epoch: 2, offset: 0 },
  ]);
});
