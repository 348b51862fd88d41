import type { WeightPart } from '../../compiler/elaborate/models/weight-parts.ts';
import type { TrainedWeight } from '../../compiler/training/compile-training.ts';
import { initialScaler } from '../../compiler/training/loss-scale.ts';
import type { Initialisation } from '../../compiler/training/recipe.ts';
import type { StateTensor } from '../../compiler/training/step-graph.ts';
import { checkWeightSizes } from '../weights/graph-weights.ts';
import { initialWeights } from '../weights/initialise.ts';
import { openWeights } from '../weights/weights.ts';
import { openInit, type PartedWeights } from './init-files.ts';
import { elementsOf, weightState } from './state.ts';

export interface InitialStateOptions {
  /** All weights of the model, including buffers. */
  readonly weights: readonly TrainedWeight[];
  /** The state tensors that a step reads and writes. */
  readonly state: readonly StateTensor[];
  readonly seed: number;
  /** A safetensors file with crob's names; if undefined, weights are drawn from `seed`. */
  readonly weightsFile: string | undefined;
  /** Files for parts of the model, ignored with a `weightsFile`; later ones take precedence. */
  readonly inits?: readonly Initialisation[];
  /** The parts of the model, for messages about these files. */
  readonly parts?: readonly WeightPart[];
  /** Returns the maps of published names for what an `init` selects. */
  readonly knownMaps?: PartedWeights['knownMaps'];
}

/**
 * Returns the state before the first step: weights from files or drawn, averages equal to their weights, the scale of the
 * loss, all else 0.
 * Throws a UserError if a file does not fit.
 */
export async function initialState(options: InitialStateOptions): Promise<Map<string, Float32Array>> {
  const { weights, state, seed, weightsFile, inits = [], parts = [], knownMaps = () => [] } = options;
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
      const opened = await openInit(init, { weights, parts, knownMaps });
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
    if (kind === 'scaler') {
      values.set(name, Float32Array.of(initialScaler(path)));
      continue;
    }
    const weight = values.get(weightState({ path, role: 'param' }));
    values.set(name, kind === 'average' && weight ? weight.slice() : new Float32Array(elementsOf(shape)));
  }
  return values;
}
