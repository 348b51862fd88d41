import type { Feeds } from '../session.ts';
import type { NonFiniteStep } from './loop.ts';
import type { NonFinite } from './nan.ts';
import type { OnnxBackend } from './onnx-backend.ts';
import { firstNotFinite } from './state.ts';

export interface ReplayOptions {
  readonly backend: Pick<OnnxBackend, 'step' | 'findNonFinite' | 'read' | 'write'>;
  /** State after the step `from`. */
  readonly state: ReadonlyMap<string, Float32Array>;
  readonly from: number;
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
  const { backend, state, from, batches, learningRate, stopped } = options;
  let suspect = error.step;
  // A weight may have become infinite some steps before a loss told of it.
  for (;;) {
    await backend.write(state);
    let step = from + 1;
    let earlier = false;
    for await (const feeds of batches(step)) {
      if (stopped()) return undefined;
      const scalars = { learningRate: learningRate(step), step };
      if (step === suspect) {
        const found = await backend.findNonFinite(feeds, scalars);
        return found && { ...found, step };
      }
      await backend.step(feeds, scalars);
      if (firstNotFinite(await backend.read()) !== undefined) {
        suspect = step;
        earlier = true;
        break;
      }
      step++;
    }
    if (!earlier) return undefined;
  }
}
