import type { StopSignal } from '../process/signals.ts';
import type { ExperimentRecord } from './experiment-record.ts';
import { manySteps, measurePace, measuringFolder, stepsWithin } from './pace.ts';
import type { CompileModel, PlannedModel, SharedOptions } from './planned-model.ts';

export interface BudgetOptions {
  /** The models, planned with the length of their recipes. */
  readonly models: readonly PlannedModel[];
  readonly minutes: number;
  readonly compile: CompileModel;
  readonly shared: SharedOptions;
  readonly out: string;
  readonly record: ExperimentRecord;
  /** Stores what was measured so far. */
  store(record: ExperimentRecord): Promise<void>;
  note(line: string): void;
}

/**
 * Returns how many steps all trainings have, so that the slowest model takes no more than so many minutes, and the
 * record that remembers it. The pace of each model is measured unless the record has it. Returns the signal if one stops
 * a measurement.
 */
export async function stepsOfBudget(options: BudgetOptions): Promise<ExperimentRecord | StopSignal> {
  const { models, minutes, compile, shared, out, store, note } = options;
  let { record } = options;
  const fitting: { readonly label: string; readonly steps: number; readonly seconds: number }[] = [];
  for (const model of models) {
    const key = model.identity.hashes.loss;
    let pace = record.paces[key];
    if (!pace) {
      const found = await measurePace(model, compile, shared, measuringFolder(out));
      if (typeof found === 'string') return found;
      pace = found;
      record = { ...record, paces: { ...record.paces, [key]: pace } };
      await store(record);
    }
    const { recipe } = compile(model, [`recipe.steps=${manySteps}`]).training;
    fitting.push({ label: model.label, steps: stepsWithin(minutes, pace, recipe), seconds: pace.step });
  }
  const slowest = fitting.reduce((a, b) => (b.steps < a.steps ? b : a));
  note(
    `${slowest.steps.toLocaleString('en')} steps for each training: ${slowest.label} takes ${slowest.seconds.toFixed(3)} s a step, and may take ${minutes} minutes`,
  );
  record = { ...record, budget: { minutes, steps: slowest.steps } };
  await store(record);
  return record;
}
