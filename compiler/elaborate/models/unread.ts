import { type FlatModel, isWritten } from './flat-model.ts';
import type { Uses } from './uses.ts';

/**
 * Returns lets and inputs that no output or condition needs, and parameters that no part needs either, except
 * parameters that are parts.
 */
export function unreadNames(flat: FlatModel, uses: Uses, isPart: (name: string) => boolean): ReadonlySet<string> {
  const { outputs, where, params, fields, lets, inputs } = flat;
  const ends = [...outputs.keys()].map((name) => `output ${name}`).concat(where.map((_, i) => `where ${i}`));
  const needed = uses.reached(ends);
  const byParts = uses.reached([...ends, ...fields.keys(), ...[...params.keys()].filter(isPart)]);
  return new Set([
    // For a `let (a, b) = …`, only the unused names are included, not the whole value.
    ...[...lets.keys()].filter((name) => isWritten(name) && !needed.has(name)),
    ...[...inputs.keys()].filter((name) => !needed.has(name)),
    ...[...params.keys()].filter((name) => !isPart(name) && !byParts.has(name)),
  ]);
}
