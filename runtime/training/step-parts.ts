import type { Training } from '../../compiler/training/compile-training.ts';
import { moduleWithin, type StepGraph, trainingStep } from '../../compiler/training/step.ts';
import { UserError } from '../user-error.ts';
import type { StepParts } from './backend.ts';

/**
 * One graph for a step, or with accumulation one for each micro-batch and one for the update. `recompute` names modules
 * (`backbone.layers.*`) whose activations are computed again for the gradients. Throws a UserError where it names none.
 */
export function stepParts(training: Training, recompute: readonly string[] = []): StepParts<StepGraph> {
  const { nodes } = training.forward.build;
  for (const pattern of recompute) {
    if (!nodes.some(({ origin }) => moduleWithin(origin.path, [pattern]) !== undefined))
      throw new UserError(`${training.recipe.model} has no module ${pattern}; "crobc summary" lists them`);
  }
  const { accumulate } = training.recipe;
  if (accumulate === 1) return { whole: trainingStep(training, { rematerialise: recompute }) };
  return {
    accumulate: trainingStep(training, { part: 'accumulate', rematerialise: recompute }),
    update: trainingStep(training, { part: 'update' }),
    times: accumulate,
  };
}
