import type { Training } from '../../compiler/training/compile-training.ts';
import { differentiate, moduleWithin } from '../../compiler/training/differentiated.ts';
import type { HalfStep } from '../../compiler/training/half-step.ts';
import { trainingStep } from '../../compiler/training/step.ts';
import type { StepGraph } from '../../compiler/training/step-graph.ts';
import { UserError } from '../files/user-error.ts';
import type { StepParts } from './backend.ts';

export interface StepPartsOptions {
  /** Modules (`backbone.layers.*`) whose activations are recomputed in the backward pass. */
  readonly recompute?: readonly string[];
  /** With onnxruntime, state is in crobc's own buffers, so small weights can be packed and updated together. */
  readonly backend: 'onnx' | 'tfjs';
  /** Undefined for a step in f32. */
  readonly half?: HalfStep | undefined;
}

/**
 * Returns one graph for a step or, with accumulation, one for each micro-batch and one for the update. Throws a
 * UserError if `recompute` matches no module, or if nothing is trained.
 */
export function stepParts(training: Training, options: StepPartsOptions): StepParts<StepGraph> {
  const { recompute = [], backend, half } = options;
  const packed = backend === 'onnx';
  const { name, model, accumulate } = training.recipe;
  const differentiated = differentiate(training, recompute, {}, half);
  if (differentiated.learning.length === 0)
    throw new UserError(`recipe ${name} trains nothing: every weight that its losses depend on is fixed`);
  for (const pattern of recompute) {
    if (!hasModule(training, pattern))
      throw new UserError(`${model} has no module ${pattern}; "crobc summary" lists them`);
  }
  if (accumulate === 1) return { whole: trainingStep(differentiated, { packed }) };
  return {
    accumulate: trainingStep(differentiated, { part: 'accumulate', packed }),
    update: trainingStep(differentiated, { part: 'update', packed }),
    times: accumulate,
  };
}

/** Whether a pattern such as `backbone.layers.*` matches a module of the model. */
export function hasModule({ forward }: Pick<Training, 'forward'>, pattern: string): boolean {
  return forward.build.nodes.some(({ origin }) => moduleWithin(origin.path, [pattern]) !== undefined);
}
