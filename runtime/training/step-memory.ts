import type { Origin } from '../../compiler/ir/graph.ts';
import type { Training } from '../../compiler/training/compile-training.ts';
import { stepMemory } from '../../compiler/training/memory.ts';
import type { StepGraph } from '../../compiler/training/step-graph.ts';
import { byteSize } from '../files/byte-size.ts';
import { UserError } from '../files/user-error.ts';
import { machineMemory } from '../process/machine-memory.ts';
import { processMemory, trainingMemory } from '../process/process-memory.ts';
import type { StepParts } from './backend.ts';
import { batchSize } from './data.ts';

/** Returns the graphs of a step. */
export function graphsOf(parts: StepParts<StepGraph>): readonly StepGraph[] {
  return 'whole' in parts ? [parts.whole] : [parts.accumulate, parts.update];
}

/**
 * Throws a UserError if the tensors of a training step exceed the memory of this machine, before any are allocated. The
 * message says how much they need, and which batch size would fit. `available` is in bytes.
 */
export function checkStepMemory(
  training: Training,
  parts: StepParts<StepGraph>,
  backend: 'onnx' | 'tfjs',
  place: (origin: Origin) => string,
  available: number = machineMemory(),
): void {
  const { state, working, peakAt } = stepMemory(graphsOf(parts), backend);
  const held = [...state.values()].reduce((total, bytes) => total + bytes, 0);
  if (held + working <= available) return;
  const batch = batchSize(training, place);
  const [all, kept, most] = [held + working, held, available].map(byteSize);
  // The working memory of a step is proportional to the batch size.
  const memoryOf = backend === 'onnx' ? trainingMemory : processMemory;
  const always = memoryOf(held, 0);
  const fitting = Math.floor((batch * (available - always)) / (memoryOf(held, working) - always));
  const advice =
    fitting >= 1 ? `--set B=${fitting} would fit` : 'a smaller H and W, --recompute, or another model may fit';
  throw new UserError(
    `a step of ${training.recipe.model} with batches of ${batch} takes about ${all} (${kept} of them weights and their like; the most in ${peakAt === '' ? 'the model itself' : peakAt}), and this machine has ${most}: ${advice}`,
  );
}
