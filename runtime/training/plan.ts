import { UserError } from '../files/user-error.ts';

/** The schedule of a run, in steps. */
export interface Plan {
  /** Samples per step: batch size × accumulated micro-batches. */
  readonly perStep: number;
  /** Complete steps per pass over the data; the remaining samples of a shuffled pass are not used. */
  readonly stepsPerEpoch: number;
  readonly steps: number;
  /** Interval in steps, with another evaluation after the last step; 0 for never. */
  readonly evaluateEvery: number;
  readonly checkpointEvery: number;
}

export interface PlanOptions {
  readonly samples: number;
  readonly batch: number;
  readonly accumulate: number;
  readonly length: { readonly epochs: number } | { readonly steps: number };
  /** In the unit of `length`; so is `checkpointEvery`. */
  readonly evaluateEvery: number;
  readonly checkpointEvery: number;
}

/** Maximum number of steps. Checkpoint names have eight digits, enough for four months at ten steps per second. */
export const mostSteps = 99_999_999;

/** Returns why a number of steps is invalid; undefined if it is valid. */
export function stepsFault(steps: number): string | undefined {
  if (steps >= 1 && steps <= mostSteps) return undefined;
  return `a run has 1 to ${mostSteps.toLocaleString('en')} steps, and not ${steps.toLocaleString('en')}`;
}

/** Plans a run. Throws a UserError if the data do not fill one step, and for too many steps. */
export function planRun(options: PlanOptions): Plan {
  const { samples, batch, accumulate, length } = options;
  const perStep = batch * accumulate;
  const stepsPerEpoch = Math.floor(samples / perStep);
  if (stepsPerEpoch === 0) {
    const of = accumulate === 1 ? `a batch is ${batch}` : `a step takes ${accumulate} batches of ${batch}`;
    const smaller =
      samples >= accumulate
        ? `--set B=${Math.floor(samples / accumulate)}`
        : `--set recipe.accumulate=${Math.max(1, Math.floor(samples / batch))}${batch > samples ? `,B=${samples}` : ''}`;
    throw new UserError(`there are ${samples} samples and ${of}: take less in a step, as by ${smaller}`);
  }
  const steps = 'epochs' in length ? Math.max(1, Math.round(length.epochs * stepsPerEpoch)) : length.steps;
  const unit = 'epochs' in length ? stepsPerEpoch : 1;
  const fault = stepsFault(steps);
  if (fault !== undefined) throw new UserError(fault);
  return {
    perStep,
    stepsPerEpoch,
    steps,
    evaluateEvery: options.evaluateEvery * unit,
    checkpointEvery: options.checkpointEvery * unit,
  };
}

/** Whether an event with this interval occurs after `step` (from 1). */
export function isDue(every: number, step: number, { steps }: Pick<Plan, 'steps'>): boolean {
  return every > 0 && (step % every === 0 || step >= steps);
}

/**
 * Returns the position in the data at the start of a step (from 1): epoch, and number of earlier samples in its order.
 */
export function positionOf(step: number, { stepsPerEpoch, perStep }: Pick<Plan, 'stepsPerEpoch' | 'perStep'>) {
  const done = step - 1;
  return { epoch: Math.floor(done / stepsPerEpoch), offset: (done % stepsPerEpoch) * perStep };
}
