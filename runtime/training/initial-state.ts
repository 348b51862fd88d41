import type { WeightPart } from '../../compiler/elaborate/models/weight-parts.ts';
import type { TrainedWeight } from '../../compiler/training/compile-training.ts';
import type { Initialisation } from '../../compiler/training/recipe.ts';
import type { StateTensor } from '../../compiler/training/step.ts';
import { checkWeightSizes } from '../weights/graph-weights.ts';
import { initialWeights } from '../weights/initialise.ts';
import { openWeights } from '../weights/weights.ts';
import { openInit } from './init-files.ts';
import { elementsOf, weightState } from './state.ts';

export interface InitialStateOptions {
  /** Every weight of the model, buffers among them. */
  readonly weights: readonly TrainedWeight[];
  /** What a step reads and writes. */
  readonly state: readonly StateTensor[];
  readonly seed: number;
  /** safetensors under crob's own names; drawn from `seed` when undefined. */
  readonly weightsFile: string | undefined;
  /** Files for parts of the model, where `weightsFile` does not give the whole; a later one replaces an earlier one. */
  readonly inits?: readonly Initialisation[];
  /** What messages about these files call the parts of the model. */
  readonly parts?: readonly WeightPart[];
}

/**
 * State before the first step: weights from a file or drawn, averages equal to their weights, everything else 0.
 * Throws a UserError for a file that does not fit.
 */
export async function initialState(options: InitialStateOptions): Promise<Map<string, Float32Array>> {
  const { weights, state, seed, weightsFile, inits = [], parts = [] } = options;
  checkWeightSizes(weights);
  const wanted = weights.map((weight) => ({ ...weight, dtype: 'f32' as const }));
  const file = weightsFile === undefined ? undefined : await openWeights(weightsFile, wanted);
  const source = file ?? initialWeights(weights, seed);
  const values = new Map<string, Float32Array>();
  try {
    for (const weight of weights) values.set(weightState(weight), await source.read(weight.path));
  } finally {
    await file?.close();
  }
  if (weightsFile === undefined) {
    for (const init of inits) {
      const opened = await openInit(init, { weights, parts });
      try {
        for (const weight of opened.weights) values.set(weightState(weight), await opened.file.read(weight.path));
      } finally {
        await opened.file.close();
      }
    }
  }
  for (const { name, path, kind, shape } of state) {
    if (values.has(name)) continue;
    if (kind === 'weight' || kind === 'buffer')
      throw new Error(`bug in crobc: the step has a ${kind} ${path} that the model lacks`);
    const weight = values.get(weightState({ path, role: 'param' }));
    values.set(name, kind === 'average' && weight ? weight.slice() : new Float32Array(elementsOf(shape)));
  }
  return values;
}
