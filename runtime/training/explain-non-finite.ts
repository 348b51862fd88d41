import type { NonFinite } from '../ort/first-non-finite.ts';
import { type Feeds, RunFailure } from '../ort/session.ts';
import { startProgress } from '../process/progress.ts';
import type { Look, TrainingBackend } from './backend.ts';
import type { NonFiniteStep } from './non-finite-step.ts';
import { firstNotFinite } from './state.ts';

export interface ReplayOptions {
  readonly backend: Pick<TrainingBackend, 'step' | 'read'>;
  readonly look: Look;
  /** The step after which training is taken up again. */
  readonly from: number;
  /** Gives the back end the state that it had then. */
  readonly restart: () => Promise<void>;
  readonly batches: (step: number) => AsyncIterable<readonly Feeds[]>;
  readonly learningRate: (step: number) => number;
  readonly stopped: () => boolean;
}

/**
 * Finds what first was not finite. State is updated in place, so the step that failed has overwritten what it began from:
 * training is done again from the last good checkpoint, which gives the same numbers, and the step is then looked into.
 * Undefined where the numbers come out finite this time, or the user does not want to wait.
 */
export async function explainNonFinite(
  error: NonFiniteStep,
  options: ReplayOptions,
): Promise<(NonFinite & { readonly step: number }) | undefined> {
  const { backend, look, from, restart, batches, learningRate, stopped } = options;
  const scalars = (step: number) => ({ learningRate: learningRate(step), step });
  let { step: last, predicted } = error;
  // A weight may have become infinite some steps before a loss showed it: then that step is looked into.
  for (;;) {
    await restart();
    const whole = predicted !== undefined;
    const { early, feeds } = await replay(last, whole);
    if (stopped()) return undefined;
    if (early === undefined) {
      const found = predicted
        ? await look.inPrediction(predicted, stopped)
        : await look.inStep(feeds!, scalars(last), stopped);
      return found && { ...found, step: last };
    }
    last = early;
    predicted = undefined;
  }

  /**
   * Takes the steps up to `last`, with or without that one, and gives its feeds; ends at an earlier one that leaves
   * state that is not finite, or cannot be run.
   */
  async function replay(last: number, whole: boolean): Promise<{ early?: number; feeds?: readonly Feeds[] }> {
    const progress = startProgress(`steps from ${from + 1} on once more`, whole ? last - from : last - from - 1);
    try {
      let step = from + 1;
      for await (const feeds of batches(step)) {
        if (stopped() || (step === last && !whole) || step > last) return { feeds };
        if (!(await isSound(step, feeds))) return { early: step };
        progress.update(step - from);
        step++;
      }
      return {};
    } finally {
      progress.finish();
    }
  }

  async function isSound(step: number, feeds: readonly Feeds[]): Promise<boolean> {
    try {
      await backend.step(feeds, scalars(step));
    } catch (failure) {
      if (failure instanceof RunFailure) return false;
      throw failure;
    }
    return firstNotFinite(await backend.read()) === undefined;
  }
}
