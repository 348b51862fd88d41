import { UserError } from '../files/user-error.ts';
import type { DeviceMemory, NoDeviceMemory } from '../ort/device-memory.ts';
import { during } from '../process/stage.ts';
import { type MemoryNeed, memoryNeed } from '../training/check-memory.ts';
import { plannedStep } from '../training/planned-step.ts';
import type { PlannedRun } from './plan.ts';
import { type CompileModel, type PlannedModel, type SharedOptions, trainOptions } from './planned-model.ts';

export interface ModelsMemoryOptions {
  readonly compile: CompileModel;
  readonly shared: SharedOptions;
  /** Settings of the recipe that all trainings have, such as `recipe.steps=100`. */
  readonly settings: readonly string[];
  /** Reads the memory of the GPU; by default, from its driver. */
  readonly memoryOf?: (() => DeviceMemory | NoDeviceMemory) | undefined;
  note(line: string): void;
}

/** A model that is to be trained, and what that needs of memory; undefined if it is not known how much there is. */
export interface ModelMemory {
  readonly model: PlannedModel;
  readonly need: MemoryNeed | undefined;
}

/** Returns the models of runs that are not trained yet. */
export function untrainedModels(runs: readonly PlannedRun[]): readonly PlannedModel[] {
  const left = runs.filter(({ state }) => state.kind !== 'done' && state.kind !== 'trained');
  return [...new Set(left.map(({ model }) => model))];
}

/** Returns what each training needs of memory. Throws a UserError if one could not be computed on the device at all. */
export async function modelsMemory(
  models: readonly PlannedModel[],
  { compile, shared, settings, memoryOf, note }: ModelsMemoryOptions,
): Promise<readonly ModelMemory[]> {
  const found: ModelMemory[] = [];
  for (const model of models) {
    const need = await during(`estimating the memory of ${model.label}`, async () => {
      // Lets the progress be shown first.
      await new Promise((resolve) => setImmediate(resolve));
      const options = trainOptions(compile(model, settings), shared, { out: model.folder, resume: false, note });
      try {
        const { steps, half } = await plannedStep(options);
        return await memoryNeed(options, steps, half, memoryOf);
      } catch (error) {
        throw error instanceof UserError ? new UserError(`${model.label}: ${error.message}`) : error;
      }
    });
    found.push({ model, need });
  }
  return found;
}

/**
 * Checks that every model has the memory that its training needs, before one is trained, and notes what a GPU has. Throws
 * a UserError with what would fit.
 */
export async function checkModelsMemory(models: readonly PlannedModel[], options: ModelsMemoryOptions): Promise<void> {
  const refusals: string[] = [];
  for (const { model, need } of await modelsMemory(models, options)) {
    if (need?.refused !== undefined) refusals.push(`${model.label}: ${need.refused}`);
    else if (need?.note !== undefined) options.note(need.note);
  }
  const [first] = refusals;
  if (first === undefined) return;
  if (refusals.length === 1) throw new UserError(first);
  for (const line of refusals) options.note(line);
  throw new UserError(
    `${refusals.length} of ${models.length} models need more memory than there is, so none is trained; --set and --recompute hold for all of them`,
  );
}
