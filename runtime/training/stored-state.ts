import type { Training } from '../../compiler/training/compile-training.ts';
import type { StateTensor } from '../../compiler/training/step-graph.ts';
import type { StoredTensor } from './checkpoint.ts';
import { averageState, elementsOf, weightState } from './state.ts';

/** Adds zero accumulators to the state of a checkpoint, which does not store them: they are empty between steps. */
export function withAccumulators(
  loaded: Map<string, Float32Array>,
  states: readonly StateTensor[],
): Map<string, Float32Array> {
  for (const { name, kind, shape } of states)
    if (kind === 'gradient') loaded.set(name, new Float32Array(elementsOf(shape)));
  return loaded;
}

/** Assigns state tensors to files: weights for predictions by their paths, all else by its state name. */
export function storedTensors(training: Training, states: readonly StateTensor[]): StoredTensor[] {
  const names = new Set(states.map(({ name }) => name));
  const stored: StoredTensor[] = [];
  const exported = new Set<string>();
  for (const weight of training.weights) {
    const { path, shape } = weight;
    const name = names.has(averageState(path)) ? averageState(path) : weightState(weight);
    exported.add(name);
    stored.push({ name, file: 'weights', as: path, shape });
  }
  for (const { name, kind, shape } of states)
    if (kind !== 'gradient' && !exported.has(name)) stored.push({ name, file: 'state', as: name, shape });
  return stored;
}
