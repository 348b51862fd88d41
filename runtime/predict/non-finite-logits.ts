import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { openModelWeights, type Source } from '../build/build-model.ts';
import type { CacheOptions } from '../build/model-cache.ts';
import { operatorName, originPlace } from '../build/origin-place.ts';
import { damaged } from '../images/mask.ts';
import { firstNonFinite, type NonFinite } from '../ort/first-non-finite.ts';
import type { Device, Feeds } from '../ort/session.ts';
import { sized } from '../ort/sized-graph.ts';
import { weightsOf } from '../weights/graph-weights.ts';

export interface ExplainOptions extends Pick<CacheOptions, 'dtype' | 'weightsFile' | 'seed'> {
  readonly device: Device;
  readonly threads: number | undefined;
}

/**
 * Returns why a model gave NaN or infinite logits, as a phrase to follow a colon: the operator that made the first such
 * number, found by running the model again in pieces; in half precision, also what to do about it.
 */
export async function explainLogits(source: Source, feeds: Feeds, options: ExplainOptions): Promise<string> {
  const { dtype, device, threads } = options;
  const graph = sized(runPipeline(source.graph, { dtype }), feeds);
  const weights = await openModelWeights(source, weightsOf(graph), options);
  try {
    const found = await firstNonFinite(graph, feeds, { device, threads, weights, stopped: () => false });
    if (!found) return damaged;
    return shownCause(found, source.graph.name, originPlace(source.program, found.origin));
  } finally {
    await weights.close();
  }
}

/**
 * Names the operator in `model` and its position `place` in the source; in half precision, also what to do about it.
 */
export function shownCause({ op, origin, made, dtype }: NonFinite, model: string, place: string | undefined): string {
  const at = place ? `, ${place}` : '';
  const first = `the first ${made} came out of ${operatorName(op, origin)} in ${origin.path || model}${at}`;
  if (dtype !== 'f16' || made !== 'Inf') return first;
  return `${first}; half precision has no numbers beyond 65504: declare the weights that it reads with @f32, or run without --dtype f16`;
}
