import type { Differentiated } from './differentiated.ts';
import { StepBuilder } from './step-builder.ts';
import type { StepGraph } from './step-graph.ts';

export interface StepOptions {
  /**
   * `whole` is a step on one batch. With accumulation, a step has two parts: `accumulate` adds the gradients of a
   * micro-batch, each divided by the number of micro-batches, and `update` applies their sum.
   */
  readonly part?: 'whole' | 'accumulate' | 'update';
  /**
   * Whether the step is for onnxruntime: small weights are updated together, as the host can pass parts of a piece of
   * memory as tensors, and nodes are in an order for a runtime that goes depth first.
   */
  readonly packed?: boolean;
}

/** Builds one training step: loss, gradients, clipping by the global norm, optimizer, buffers and moving average. */
export function trainingStep(differentiated: Differentiated, options: StepOptions = {}): StepGraph {
  const part = options.part ?? 'whole';
  const step = new StepBuilder(differentiated, options.packed === true);
  if (part === 'update') step.update(step.accumulated());
  else {
    const found = step.compute();
    if (part === 'accumulate') step.accumulate(step.gathered(found));
    else step.update(step.of(found));
    step.buffers();
  }
  return step.finish(`${differentiated.training.inference.name}_${part === 'whole' ? 'step' : part}`);
}
