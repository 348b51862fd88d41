import type { SchedulePart } from '../../compiler/training/recipe.ts';

/**
 * Returns the factor of the learning rate at step `i` (from 0) of `n`. A warm-up of w steps is linear: (i + 1) / w
 * times the initial factor of the next part. The other parts share the remaining steps equally. For a part of m steps,
 * and t = i / m counted from its start:
 *
 * | part | factor |
 * |---|---|
 * | poly(power, end) | end + (1 - end) (1 - t)^power |
 * | cosine(end) | end + (1 - end) (1 + cos πt) / 2 |
 * | constant(factor) | factor |
 *
 * Without parts the factor is 1.
 */
export function scheduleFactor(parts: readonly SchedulePart[], i: number, n: number): number {
  const warm = parts.reduce((total, part) => total + (part.kind === 'warmup' ? part.steps : 0), 0);
  const sharing = parts.filter((part) => part.kind !== 'warmup').length;
  const left = Math.max(0, n - warm);
  let start = 0;
  let shared = 0;
  for (const [at, part] of parts.entries()) {
    let steps: number;
    if (part.kind === 'warmup') {
      steps = part.steps;
    } else {
      // Integer shares whose sum is always the number of remaining steps.
      steps = Math.floor((left * (shared + 1)) / sharing) - Math.floor((left * shared) / sharing);
      shared++;
    }
    if (i < start + steps || at === parts.length - 1) return factorIn(part, i - start, steps, parts[at + 1]);
    start += steps;
  }
  return 1;
}

function factorIn(part: SchedulePart, i: number, steps: number, next: SchedulePart | undefined): number {
  if (part.kind === 'warmup') {
    const target = next?.kind === 'constant' ? next.factor : 1;
    return steps === 0 ? target : target * Math.min(1, (i + 1) / steps);
  }
  if (part.kind === 'constant') return part.factor;
  const t = steps === 0 ? 1 : Math.min(1, i / steps);
  const shape = part.kind === 'poly' ? (1 - t) ** part.power : (1 + Math.cos(Math.PI * t)) / 2;
  return part.end + (1 - part.end) * shape;
}
