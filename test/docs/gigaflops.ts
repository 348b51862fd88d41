import { expect } from 'vitest';
import { crobc } from '../cli/crobc.ts';

/** The last cell of a model's row in the tables of docs/rivals.md; undefined if no table has the model. */
export function shownGigaflops(page: string, model: string): string | undefined {
  return new RegExp(`^\\| \\[${model}\\]\\(.*\\| ([\\d.]+) \\|$`, 'm').exec(page)?.[1];
}

/** Billions of operations for one image of 480², as `crobc summary` counts them, with one digit behind the point. */
export async function summarised(file: string, model: string, settings: readonly string[] = []): Promise<string> {
  const set = [...settings, 'B=1', 'H=480', 'W=480', 'T=20'].flatMap((one) => ['--set', one]);
  const ran = await crobc(['summary', file, '--model', model, ...set, '--json']);
  expect(ran.code, ran.err).toBe(0);
  return ((JSON.parse(ran.out) as { readonly flops: number }).flops / 1e9).toFixed(1);
}
