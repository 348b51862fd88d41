import type { Line, Valued } from './case.ts';
import { type Built, concrete, pathText, type Step, valueAt } from './places.ts';
import type { Value } from './value.ts';

/** This test's own account of overrides: which line decides the value at a path. */
export interface Deciding {
  readonly steps: readonly Step[];
  readonly line: Valued;
}

/** The lines that decide, for each path without `*`: the nearest variant's, and within a variant the one with the index. */
export function deciding(built: Built, lines: readonly Valued[]): ReadonlyMap<string, Deciding> {
  const found = new Map<string, Deciding>();
  for (const line of lines) {
    for (const steps of concrete(built, line.steps)) {
      const key = pathText(steps);
      const other = found.get(key)?.line;
      if (!other || isBefore(line, other)) found.set(key, { steps, line });
    }
  }
  return found;
}

function isBefore(line: Valued, other: Valued): boolean {
  if (line.level !== other.level) return line.level > other.level;
  return stars(line.steps) < stars(other.steps);
}

const stars = (steps: readonly Step[]) => steps.filter((step) => step === '*').length;

/** Whether the first path stands for the second one too. */
export function covers(pattern: readonly Step[], steps: readonly Step[]): boolean {
  return (
    pattern.length === steps.length &&
    pattern.every(
      (step, i) => step === steps[i] || (step === '*' && (typeof steps[i] === 'number' || steps[i] === '*')),
    )
  );
}

/** Whether there may be a path that both stand for. */
export function overlap(a: readonly Step[], b: readonly Step[]): boolean {
  return a.length === b.length && a.every((step, i) => step === b[i] || step === '*' || b[i] === '*');
}

/** Whether a line that reads its own path sees another one: neither itself nor a nearer one of the same path. */
export function isSeenBy(line: Valued, other: Valued): boolean {
  return other !== line && !(other.level >= line.level && pathText(other.steps) === pathText(line.steps));
}

/** What a right side reads, each value in the model that it means: undefined where it reads nothing that can be. */
export function read(line: Line, own: Built, others: Built): readonly (Value | undefined)[] {
  return line.right.reads.map((steps) => valueAt(covers(line.steps, steps) ? own : others, steps));
}
