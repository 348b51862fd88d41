import type { Training } from '../../compiler/training/compile-training.ts';
import type { TrainingPrecision } from '../../compiler/training/recipe.ts';
import type { StepGraph } from '../../compiler/training/step-graph.ts';
import { whileAt } from '../process/stage.ts';
import type { StepParts } from './backend.ts';
import { devicePrecision, type PrecisionOptions } from './precision.ts';
import { type StepPartsOptions, stepParts } from './step-parts.ts';

/** The step of a training on its device. */
export interface PlannedStep extends Pick<StepPartsOptions, 'half'> {
  readonly precision: TrainingPrecision;
  readonly steps: StepParts<StepGraph>;
}

/** Returns the step of a training, and notes its precision. Throws a UserError if the device does not have that. */
export async function plannedStep({
  training,
  note,
  ...options
}: PrecisionOptions &
  StepPartsOptions & {
    readonly training: Training;
    note(line: string): void;
  }): Promise<PlannedStep> {
  const { precision, half, note: ofPrecision } = await devicePrecision(training.recipe, options);
  if (ofPrecision !== undefined) note(ofPrecision);
  const steps = whileAt('making the training step', () => stepParts(training, { ...options, half }));
  return { precision, half, steps };
}
