import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultInterval, type Recipe } from '../../compiler/training/recipe.ts';
import { UserError } from '../files/user-error.ts';
import type { StopSignal } from '../process/signals.ts';
import { train } from '../training/train.ts';
import type { Pace } from './experiment-record.ts';
import { readMetrics } from './metrics-lines.ts';
import { type CompileModel, type NamedModel, type SharedOptions, trainOptions } from './planned-model.ts';

/** Steps of a measurement; the first ones, which include the setup, are not counted. */
const measured = { steps: 20, from: 5 } as const;

/** Share of a budget for steps and evaluations; the rest is for starting and writing. */
const stepping = 0.9;

/**
 * Measures the seconds of a step and of an evaluation in a short training in `folder`, which is deleted. Returns the
 * signal if one stops it.
 */
export async function measurePace(
  named: NamedModel,
  compile: CompileModel,
  shared: SharedOptions,
  folder: string,
): Promise<Pace | StopSignal> {
  await rm(folder, { recursive: true, force: true });
  const compiled = compile(named, [`recipe.steps=${measured.steps}`, `recipe.evaluate_every=${measured.steps}`]);
  // Its notes are those of the training that follows.
  const { end, files } = await train(trainOptions(compiled, shared, { out: folder, resume: false, note: () => {} }));
  const lines = end === 'done' || end === 'early stop' ? await readMetrics(files.metrics) : [];
  await rm(folder, { recursive: true, force: true });
  if (end === 'SIGINT' || end === 'SIGTERM') return end;
  const at = (step: number) => lines.find((line) => line.step === step && !line.scores)?.seconds ?? Number.NaN;
  const evaluated = lines.find(({ scores }) => scores)?.seconds;
  return {
    step: (at(measured.steps) - at(measured.from)) / (measured.steps - measured.from),
    evaluation: evaluated === undefined ? 0 : evaluated - at(measured.steps),
  };
}

/**
 * Returns how many steps of a recipe fit into some minutes. `recipe` is compiled with so many steps that its interval of
 * evaluations is either its own or a tenth of them. Throws a UserError if there is no time for a step.
 */
export function stepsWithin(minutes: number, { step, evaluation }: Pace, recipe: Recipe): number {
  const seconds = minutes * 60 * stepping;
  const isTenth = recipe.evaluateEvery === defaultInterval(recipe.length);
  const steps = isTenth ? (seconds - 10 * evaluation) / step : seconds / (step + evaluation / recipe.evaluateEvery);
  if (!(steps >= 1))
    throw new UserError(
      `${minutes} minutes are too few for ${recipe.model}: ${isTenth ? 'ten evaluations take' : 'an evaluation takes'} ${((isTenth ? 10 : 1) * evaluation).toFixed(1)} s, and a step ${step.toFixed(2)} s`,
    );
  return Math.floor(steps);
}

/** Steps of the recipe that `stepsWithin` reads: more than any budget has. */
export const manySteps = 90_000_000;

/** Returns the seconds of a training and its evaluations on val. */
export function trainingSeconds(
  { step, evaluation }: Pace,
  plan: { readonly steps: number; readonly evaluateEvery: number },
): number {
  const evaluations = plan.evaluateEvery > 0 ? Math.ceil(plan.steps / plan.evaluateEvery) : 0;
  return plan.steps * step + evaluations * evaluation;
}

/** The folder of a measurement in the folder of an experiment. */
export function measuringFolder(out: string): string {
  return join(out, '.pace');
}
