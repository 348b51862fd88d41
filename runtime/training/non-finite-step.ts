import { type Feeds, RunFailure } from '../ort/session.ts';

/**
 * A loss, a gradient, a weight or a prediction that is no finite number, or a run that onnxruntime gave up, as it does at an
 * index that was made of such a number. Nothing of this step is ever in a checkpoint.
 */
export class NonFiniteStep extends Error {
  override readonly name = 'NonFiniteStep';
  readonly step: number;
  readonly what: string;
  /** What was predicted on after the step, where the predictions are at fault. */
  readonly predicted: Feeds | undefined;
  /** onnxruntime's message where it gave up. */
  readonly failure: RunFailure | undefined;

  constructor(step: number, what: string, { predicted, failure }: { predicted?: Feeds; failure?: RunFailure } = {}) {
    super(`step ${step}: ${what}`);
    this.step = step;
    this.what = what;
    this.predicted = predicted;
    this.failure = failure;
  }
}

/** What a back end computes in a step, or predicts behind it; where that cannot be run, a NonFiniteStep says `what`. */
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

/** `NaN`, `Inf` or `-Inf`. */
export function shownNonFinite(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Inf' : '-Inf';
}
