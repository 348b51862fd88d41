import { UserError } from '../files/user-error.ts';

/** When things happen in a run, in steps. */
export interface Plan {
  /** Samples of one step: batch × accumulated micro-batches. */
  readonly perStep: number;
  /** Whole steps in a pass over the data; what is left over of a shuffled pass is not used in it. */
  readonly stepsPerEpoch: number;
  readonly steps: number;
  /** Every so many steps, and after the last; 0: never. */
  readonly evaluateEvery: number;
  readonly checkpointEvery: number;
}

export interface PlanOptions {
  readonly samples: number;
  readonly batch: number;
  readonly accumulate: number;
  readonly length: { readonly epochs: number } | { readonly steps: number };
  /** In the unit of `length`. */
  readonly evaluateEvery: number;
  readonly checkpointEvery: number;
}

/** Checkpoints are called by their steps, in eight digits; at ten steps a second it is four months. */
export const mostSteps = 99_999_999;

/** What is wrong with a number of steps; undefined where it is right. */
export function stepsFault(steps: number): string | undefined {
  if (steps >= 1 && steps <= mostSteps) return undefined;
  return `a run has 1 to ${mostSteps.toLocaleString('en')} steps, and not ${steps.toLocaleString('en')}`;
}

/** Throws a UserError where the data do not fill one step, and for more steps than a run can have. */
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

/** Whether something that happens every so many steps happens after `step` (from 1). */
export function isDue(every: number, step: number, { steps }: Pick<Plan, 'steps'>): boolean {
  return every > 0 && (step % every === 0 || step >= steps);
}

/** Where in the data a step (from 1) begins: its epoch, and how many samples of the epoch's order come before. */
export function positionOf(step: number, { stepsPerEpoch, perStep }: Pick<Plan, 'stepsPerEpoch' | 'perStep'>) {
  const done = step - 1;
  return { epoch: Math.floor(done / stepsPerEpoch), offset: (done % stepsPerEpoch) * perStep };
}
