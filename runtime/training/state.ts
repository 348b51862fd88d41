import type { StateTensor, StepGraph } from '../../compiler/training/step-graph.ts';
import { allFinite } from '../tensors/all-finite.ts';
import type { StepParts } from './backend.ts';

/** Returns all state tensors of a step without duplicates. */
export function statesOf(steps: StepParts<StepGraph>): StateTensor[] {
  const byName = new Map<string, StateTensor>();
  for (const { state } of 'whole' in steps ? [steps.whole] : [steps.accumulate, steps.update])
    for (const tensor of state) {
      const known = byName.get(tensor.name);
      if (known === undefined || known.next === undefined) byName.set(tensor.name, tensor);
    }
  return [...byName.values()];
}

/** Returns the state name of a weight or buffer. */
export function weightState({ path, role }: { readonly path: string; readonly role: 'param' | 'buffer' }): string {
  return `${role === 'buffer' ? 'buffer' : 'weight'}:${path}`;
}

/** Returns the state name of a weight's average, which predictions use if the recipe keeps averages. */
export function averageState(path: string): string {
  return `average:${path}`;
}

export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, d) => product * d, 1);
}

/** Returns the name of a tensor that contains NaN or an infinity; undefined if there is none. */
export function firstNotFinite(state: ReadonlyMap<string, Float32Array>): string | undefined {
  for (const [name, data] of state) if (!allFinite(data)) return name;
  return undefined;
}
