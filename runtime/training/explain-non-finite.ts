import type { NonFinite } from '../ort/first-non-finite.ts';
import { type Feeds, RunFailure } from '../ort/session.ts';
import { startProgress } from '../process/progress.ts';
import type { Look, TrainingBackend } from './backend.ts';
import type { NonFiniteStep } from './non-finite-step.ts';
import { firstNotFinite } from './state.ts';

export interface ReplayOptions {
  readonly backend: Pick<TrainingBackend, 'step' | 'read'>;
  readonly look: Look;
  /** The step of the checkpoint from which training is repeated. */
  readonly from: number;
  /** Restores the back end's state of that step. */
  readonly restart: () => Promise<void>;
  readonly batches: (step: number) => AsyncIterable<readonly Feeds[]>;
  readonly learningRate: (step: number) => number;
  readonly stopped: () => boolean;
}

/**
 * Finds the operator that made the first NaN or infinity. The failed step has overwritten its initial state in place,
 * so this repeats training from the last good checkpoint, which gives the same numbers, and then searches the step.
 * Undefined if all numbers are finite this time, or if the user interrupts the search.
 */
export async function explainNonFinite(
  error: NonFiniteStep,
  options: ReplayOptions,
): Promise<(NonFinite & { readonly step: number }) | undefined> {
  const { backend, look, from, restart, batches, learningRate, stopped } = options;
  const scalars = (step: number) => ({ learningRate: learningRate(step), step });
  let { step: last, predicted } = error;
  // A weight may have become infinite some steps before the loss showed it; then that earlier step is searched.
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
   * Repeats the steps before `last` (with `whole`, including it) and returns the feeds of the next one. Stops at an
   * earlier step that fails or leaves state that is not finite, and returns it as `early`.
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
    return (await firstNotFinite(await backend.read())) === undefined;
  }
}
