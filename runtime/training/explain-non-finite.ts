import type { Feeds } from '../session.ts';
import type { NonFiniteStep } from './loop.ts';
import type { NonFinite } from './nan.ts';
import type { OnnxBackend } from './onnx-backend.ts';
import { firstNotFinite } from './state.ts';

export interface ReplayOptions {
  /** In the state after the step `from`. */
  readonly backend: Pick<OnnxBackend, 'step' | 'findNonFinite' | 'read' | 'write'>;
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
  const { backend, from, batches, learningRate, stopped } = options;
  const start = new Map([...(await backend.read())].map(([name, data]) => [name, data.slice()]));
  let suspect = error.step;
  // A weight may have become infinite some steps before a loss told of it: then that step is looked into.
  while (suspect > from) {
    const first = await replay(suspect);
    if (first === undefined || first.step === suspect) return first?.found && { ...first.found, step: suspect };
    suspect = first.step;
    await backend.write(start);
  }
  return undefined;

  /** Takes the steps before `last` and looks into that one; ends earlier where state stops being finite. */
  async function replay(last: number): Promise<{ step: number; found?: NonFinite | undefined } | undefined> {
    let step = from + 1;
    for await (const feeds of batches(step)) {
      if (stopped()) return undefined;
      const scalars = { learningRate: learningRate(step), step };
      if (step === last) return { step, found: await backend.findNonFinite(feeds, scalars) };
      await backend.step(feeds, scalars);
      if (firstNotFinite(await backend.read()) !== undefined) return { step };
      step++;
    }
    return undefined;
  }
}
