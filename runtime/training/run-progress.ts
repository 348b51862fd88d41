import { type ProgressOptions, startProgress } from '../process/progress.ts';
import type { Progress } from './checkpoint.ts';
import type { Plan } from './plan.ts';

/** Where a run is, as one line that is kept up to date. */
export interface RunProgress {
  /** `speed` in samples a second. */
  step(step: number, loss: number, learningRate: number, speed: number): void;
  /** Within an evaluation: so many samples of so many. */
  evaluating(done: number, of: number): void;
  evaluated(score: number): void;
  /** Once, at the end or on failure. */
  finish(): void;
}

/** How much the last step counts for the speed that is shown. */
const NEWEST = 0.2;

export function startRunProgress(
  { steps, stepsPerEpoch }: Pick<Plan, 'steps' | 'stepsPerEpoch'>,
  metric: string,
  { step: from, best }: Pick<Progress, 'step' | 'best'>,
  options: Omit<ProgressOptions, 'from'> = {},
): RunProgress {
  const progress = startProgress('training', steps, { ...options, from });
  let at = from;
  let words: readonly string[] = [];
  let pace: number | undefined;
  let scored = best ? `best ${metric} ${best.score.toFixed(4)}` : undefined;
  const show = (...more: readonly string[]) =>
    progress.update(at, [...words, ...(scored === undefined ? [] : [scored]), ...more].join(', '));
  return {
    step(step, loss, learningRate, speed) {
      at = step;
      pace = pace === undefined ? speed : (1 - NEWEST) * pace + NEWEST * speed;
      const epoch = Math.ceil(step / stepsPerEpoch);
      words = [
        `epoch ${epoch}`,
        `loss ${loss.toFixed(4)}`,
        `lr ${learningRate.toPrecision(3)}`,
        `${pace.toPrecision(3)} samples/s`,
      ];
      show();
    },
    evaluating: (done, of) => show(`evaluating ${done}/${of}`),
    evaluated(score) {
      scored = `${metric} ${score.toFixed(4)}`;
      show();
    },
    finish: () => progress.finish(),
  };
}
