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

/** Floats that are looked at in one go: 16 MiB, which takes a few milliseconds. */
const atOnce = 1 << 22;

/**
 * Returns the name of a tensor that contains NaN or an infinity; undefined if there is none. Other work of this thread
 * runs in between.
 */
export async function firstNotFinite(state: ReadonlyMap<string, Float32Array>): Promise<string | undefined> {
  let looked = 0;
  for (const [name, data] of state)
    for (let at = 0; at < data.length; at += atOnce) {
      const part = data.length <= atOnce ? data : data.subarray(at, at + atOnce);
      if (!allFinite(part)) return name;
      looked += part.length;
      if (looked < atOnce) continue;
      looked = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  return undefined;
}
