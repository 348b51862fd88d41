import { type Feeds, RunFailure } from '../ort/session.ts';

/**
 * A loss, gradient, weight or prediction that is NaN or infinite, or a failed run of onnxruntime, for example at an
 * index that was computed from such a number. Checkpoints never contain the state of this step.
 */
export class NonFiniteStep extends Error {
  override readonly name = 'NonFiniteStep';
  readonly step: number;
  readonly what: string;
  /** The feeds of the prediction after the step, if the prediction failed. */
  readonly predicted: Feeds | undefined;
  /** onnxruntime's error, if it failed. */
  readonly failure: RunFailure | undefined;

  constructor(step: number, what: string, { predicted, failure }: { predicted?: Feeds; failure?: RunFailure } = {}) {
    super(`step ${step}: ${what}`);
    this.step = step;
    this.what = what;
    this.predicted = predicted;
    this.failure = failure;
  }
}

/** Awaits a step or a prediction after it; converts a RunFailure to a NonFiniteStep with the text `what`. */
export async function orNonFinite<T>(
  work: Promise<T>,
  step: number,
  what: string,
  evidence: { readonly predicted?: Feeds } = {},
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RunFailure) throw new NonFiniteStep(step, what, { ...evidence, failure: error });
    throw error;
  }
}

/** Formats a number that is not finite: `NaN`, `Inf` or `-Inf`. */
export function shownNonFinite(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Inf' : '-Inf';
}
