import type { SchedulePart } from '../../compiler/training/recipe.ts';

/**
 * The factor of the learning rate at step `i` (from 0) of `n`. A warm-up of w steps goes up in a line, (i + 1) / w of
 * what follows it. The other parts share the steps that warm-ups leave, in equal shares where there are several; over m
 * steps, at t = i / m from their beginning:
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
      // Whole steps, the same total for any number of shares.
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
