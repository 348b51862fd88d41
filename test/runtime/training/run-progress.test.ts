import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { startRunProgress } from '../../../runtime/training/run-progress.ts';

test('a run tells its loss, rate and speed, what is evaluated, and the last score', () => {
  const stream = new PassThrough();
  let time = 0;
  const progress = startRunProgress(
    { steps: 40, stepsPerEpoch: 8 },
    'mIoU',
    { step: 10, best: { step: 10, score: 0.25 } },
    {
      stream,
      environment: {},
      now: () => time,
    },
  );
  const after = (seconds: number, tell: () => void) => {
    time += seconds * 1000;
    tell();
    return String(stream.read() ?? '');
  };
  const words = (step: number) => `epoch ${Math.ceil(step / 8)}, loss 0.5000`;
  const rate = 'lr 0.00100';
  expect(after(10, () => progress.step(11, 0.5, 1e-3, 4))).toBe(
    `training: 11/40 (27%), 4 min 50 s left, ${words(11)}, best mIoU 0.2500, 4.00 samples/s, ${rate}\n`,
  );
  expect(after(5, () => progress.step(20, 0.5, 1e-3, 9))).toBe('');
  expect(after(5, () => progress.evaluating(7, 30))).toBe(
    `training: 20/40 (50%), 40 s left, ${words(20)}, evaluating 7/30, best mIoU 0.2500, 5.00 samples/s, ${rate}\n`,
  );
  after(1, () => progress.step(40, 0.5, 1e-3, 5));
  after(1, () => progress.evaluated(0.3125));
  expect(after(1, () => progress.finish())).toBe(
    `training: 40/40 in 23 s, ${words(40)}, mIoU 0.3125, 5.00 samples/s, ${rate}\n`,
  );
});
