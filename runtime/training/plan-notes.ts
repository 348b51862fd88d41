import type { Recipe } from '../../compiler/training/recipe.ts';
import type { Plan } from './plan.ts';
import { scheduleFactor } from './schedule.ts';

type Planned = Pick<Recipe, 'schedule' | 'optimizer' | 'earlyStop' | 'sources' | 'evaluateEvery' | 'length'>;

/**
 * Returns notes about settings of a recipe that have no effect, or not the intended one, because the run is too short.
 * `evaluateEvery` is 0 if nothing is evaluated.
 */
export function planNotes(recipe: Planned, plan: Pick<Plan, 'steps' | 'evaluateEvery'>): readonly string[] {
  return [...warmupNotes(recipe, plan), ...intervalNotes(recipe, plan), ...earlyStopNotes(recipe, plan)];
}

function warmupNotes({ schedule, optimizer: { lr } }: Planned, { steps }: Pick<Plan, 'steps'>): readonly string[] {
  const warm = schedule.reduce((total, part) => total + (part.kind === 'warmup' ? part.steps : 0), 0);
  if (warm === 0 || warm < steps) return [];
  const rest = schedule.filter(({ kind }) => kind !== 'warmup').map(({ kind }) => kind);
  if (warm === steps && rest.length === 0) return [];
  const highest = Math.max(scheduleFactor(schedule, 0, steps), scheduleFactor(schedule, steps - 1, steps));
  const reached = `the learning rate comes to ${Number((lr * highest).toPrecision(3))} of ${lr}`;
  const never = rest.length === 0 ? '' : `, and ${rest.join(' and ')} ${rest.length === 1 ? 'has' : 'have'} no effect`;
  return [`the warm-up takes ${counted(warm)} and the run has ${n(steps)}: ${reached}${never}`];
}

function intervalNotes(recipe: Planned, { steps, evaluateEvery }: Pick<Plan, 'steps' | 'evaluateEvery'>) {
  const source = recipe.sources.get('evaluate_every');
  if (source === undefined || source === 'default' || evaluateEvery <= steps) return [];
  const unit = 'epochs' in recipe.length ? ` epochs (${counted(evaluateEvery)})` : '';
  return [
    `evaluate_every = ${recipe.evaluateEvery}${unit} is longer than the run of ${counted(steps)}: it is evaluated after the last step alone`,
  ];
}

function earlyStopNotes({ earlyStop }: Planned, { steps, evaluateEvery }: Pick<Plan, 'steps' | 'evaluateEvery'>) {
  if (earlyStop === undefined || evaluateEvery === 0) return [];
  const evaluations = Math.ceil(steps / evaluateEvery);
  if (evaluations > earlyStop) return [];
  return [
    `early_stop = ${earlyStop} has no effect: the run has ${evaluations === 1 ? 'one evaluation' : `${n(evaluations)} evaluations`}`,
  ];
}

function counted(steps: number): string {
  return `${n(steps)} ${steps === 1 ? 'step' : 'steps'}`;
}

function n(value: number): string {
  return value.toLocaleString('en');
}
