import type { StateTensor, StepGraph } from '../../compiler/training/step.ts';
import { allFinite } from '../tensors/all-finite.ts';
import type { StepParts } from './backend.ts';

/** Every state tensor of a step, each once. */
export function statesOf(steps: StepParts<StepGraph>): StateTensor[] {
  const byName = new Map<string, StateTensor>();
  for (const { state } of 'whole' in steps ? [steps.whole] : [steps.accumulate, steps.update])
    for (const tensor of state) {
      const known = byName.get(tensor.name);
      if (known === undefined || known.next === undefined) byName.set(tensor.name, tensor);
    }
  return [...byName.values()];
}

/** What a weight or buffer goes by among the state of a step. */
export function weightState({ path, role }: { readonly path: string; readonly role: 'param' | 'buffer' }): string {
  return `${role === 'buffer' ? 'buffer' : 'weight'}:${path}`;
}

/** The average that stands for a weight in predictions, where a recipe keeps one. */
export function averageState(path: string): string {
  return `average:${path}`;
}

export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, d) => product * d, 1);
}

/** The name of a tensor that holds NaN or an infinity, if any does. */
export function firstNotFinite(state: ReadonlyMap<string, Float32Array>): string | undefined {
  for (const [name, data] of state) if (!allFinite(data)) return name;
  return undefined;
}
