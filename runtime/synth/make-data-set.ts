import { startProgress } from '../progress.ts';
import { UserError } from '../user-error.ts';
import type { SceneForm } from './scene.ts';
import { type Plan, splits, writeDataSet } from './write-data-set.ts';

export type Difficulty = 'easy' | 'standard';

/** Below this many pixels scenes are easy when nothing else is asked for: small models see what is in them. */
const STANDARD_FROM = 256;

/** The scenes of a size; throws a UserError for what cannot be drawn. */
export function formFor(
  size: number,
  difficulty: Difficulty = size < STANDARD_FROM ? 'easy' : 'standard',
  objects?: string,
): SceneForm {
  if (!(Number.isInteger(size) && size >= 64 && size <= 1024)) {
    throw new UserError(`--size ${size}: scenes have 64 to 1024 pixels along each side`);
  }
  const easy = difficulty === 'easy';
  const range =
    objects === undefined ? (easy ? ([3, 4] as const) : ([5, 8] as const)) : parseRange(objects, easy ? 5 : 12);
  return { size, objects: range, scale: easy ? 1 : 0.6, fine: !easy, rich: !easy };
}

function parseRange(text: string, most: number): readonly [number, number] {
  const [low, high, more] = text.split(',').map(Number);
  if (
    more !== undefined ||
    !Number.isInteger(low) ||
    !Number.isInteger(high) ||
    low! < 1 ||
    high! < low! ||
    high! > most
  ) {
    throw new UserError(`--objects ${text}: give the fewest and the most, such as 3,4; there is room for ${most}`);
  }
  return [low!, high!];
}

export interface MadeDataSet {
  readonly dir: string;
  readonly size: number;
  readonly phrases: Readonly<Record<string, number>>;
}

/** Draws a data set into a folder, with progress on standard error. Throws a UserError. */
export async function makeDataSet(dir: string, plan: Plan): Promise<MadeDataSet> {
  if (plan.phrases < 1 || plan.phrases > plan.form.objects[0]) {
    throw new UserError(
      `--phrases ${plan.phrases}: each phrase of a scene is for another object, and a scene may have only ${plan.form.objects[0]}`,
    );
  }
  const total = splits.reduce((sum, split) => sum + plan.scenes[split], 0);
  const progress = startProgress('drawing scenes', total);
  try {
    const written = await writeDataSet(dir, plan, progress);
    const counts = splits.map((split) => [split, written.filter((one) => one.split === split).length] as const);
    return { dir, size: plan.form.size, phrases: Object.fromEntries(counts) };
  } finally {
    progress.finish();
  }
}
