import type { Origin } from '../../compiler/ir/graph.ts';
import type { Training } from '../../compiler/training/compile-training.ts';
import { stepMemory } from '../../compiler/training/memory.ts';
import type { StepGraph } from '../../compiler/training/step-graph.ts';
import { byteSize } from '../files/byte-size.ts';
import { machineMemory } from '../process/machine-memory.ts';
import { processMemory, trainingMemory } from '../process/process-memory.ts';
import type { StepParts } from './backend.ts';
import { batchSize } from './data.ts';

/** Returns the graphs of a step. */
export function graphsOf(parts: StepParts<StepGraph>): readonly StepGraph[] {
  return 'whole' in parts ? [parts.whole] : [parts.accumulate, parts.update];
}

/** What a training step needs of the memory of this machine. */
export interface StepMemory {
  /** Bytes of the process: an estimate. */
  readonly needed: number;
  /**
   * Why it cannot be trained here: its tensors alone take more than there is. The line says how much they take, and which
   * batch size would fit. Undefined if they do not.
   */
  readonly refused: string | undefined;
}

/** Returns what a training step needs, before any of it is allocated. `available` is in bytes. */
export function processStepMemory(
  training: Training,
  parts: StepParts<StepGraph>,
  backend: 'onnx' | 'tfjs',
  place: (origin: Origin) => string,
  available: number = machineMemory(),
): StepMemory {
  const { state, working, peakAt } = stepMemory(graphsOf(parts), backend);
  const held = [...state.values()].reduce((total, bytes) => total + bytes, 0);
  const memoryOf = backend === 'onnx' ? trainingMemory : processMemory;
  const needed = memoryOf(held, working);
  if (held + working <= available) return { needed, refused: undefined };
  const batch = batchSize(training, place);
  const [all, kept, most] = [held + working, held, available].map(byteSize);
  // The working memory of a step is proportional to the batch size.
  const always = memoryOf(held, 0);
  const fitting = Math.floor((batch * (available - always)) / (needed - always));
  const advice =
    fitting >= 1 ? `--set B=${fitting} would fit` : 'a smaller H and W, --recompute, or another model may fit';
  return {
    needed,
    refused: `a step of ${training.recipe.model} with batches of ${batch} takes about ${all} (${kept} of them weights and their like; the most in ${peakAt === '' ? 'the model itself' : peakAt}), and this machine has ${most}: ${advice}`,
  };
}
