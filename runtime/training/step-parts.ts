import type { Training } from '../../compiler/training/compile-training.ts';
import { type StepGraph, trainingStep } from '../../compiler/training/step.ts';
import type { StepParts } from './backend.ts';

/** One graph for a step, or with accumulation one for each micro-batch and one for the update. */
export function stepParts(training: Training): StepParts<StepGraph> {
  const { accumulate } = training.recipe;
  if (accumulate === 1) return { whole: trainingStep(training) };
  return {
    accumulate: trainingStep(training, { part: 'accumulate' }),
    update: trainingStep(training, { part: 'update' }),
    times: accumulate,
  };
}
