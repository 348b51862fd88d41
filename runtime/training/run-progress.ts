import { type ProgressOptions, startProgress } from '../process/progress.ts';
import type { Progress } from './checkpoint.ts';
import type { Plan } from './plan.ts';

/** Displays the progress of a run as one line. */
export interface RunProgress {
  /** `speed` is in samples per second. */
  step(step: number, loss: number, learningRate: number, speed: number): void;
  /** During an evaluation: number of evaluated samples, and their total. */
  evaluating(done: number, of: number): void;
  evaluated(score: number): void;
  /** Call it once, at the end or on failure. */
  finish(): void;
}

/** Weight of the last step in the displayed speed (exponential moving average). */
const NEWEST = 0.2;

export function startRunProgress(
  { steps, stepsPerEpoch }: Pick<Plan, 'steps' | 'stepsPerEpoch'>,
  metric: string,
  { step: from, best }: Pick<Progress, 'step' | 'best'>,
  options: Omit<ProgressOptions, 'from'> = {},
): RunProgress {
  // No patience: the preparation took long already, and one step may take long.
  const progress = startProgress('training', steps, { patience: 0, ...options, from });
  let at = from;
  let first: readonly string[] = [];
  let last: readonly string[] = [];
  let pace: number | undefined;
  let scored = best ? `best ${metric} ${best.score.toFixed(4)}` : undefined;
  const show = (...more: readonly string[]) =>
    progress.update(at, ...first, ...more, ...(scored === undefined ? [] : [scored]), ...last);
  return {
    step(step, loss, learningRate, speed) {
      at = step;
      pace = pace === undefined ? speed : (1 - NEWEST) * pace + NEWEST * speed;
      const epoch = Math.ceil(step / stepsPerEpoch);
      first = [`epoch ${epoch}`, `loss ${loss.toFixed(4)}`];
      last = [`${pace.toPrecision(3)} samples/s`, `lr ${learningRate.toPrecision(3)}`];
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
