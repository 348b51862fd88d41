import type { Condition } from './build-record.ts';
import { dimValue, type Sizes } from './dim-text.ts';

/** The dims among these that a condition is about. */
export function dimsIn({ condition }: Condition, sizes: Sizes): readonly string[] {
  return [...sizes.keys()].filter((name) =>
    new RegExp(`(?<![\\p{L}\\p{N}_])${name}(?![\\p{L}\\p{N}_])`, 'u').test(condition),
  );
}

/** Whether sizes fulfil a condition. They must have all dims that it is about. */
export function holdsAt({ condition, left, relation, right, remainder = 0 }: Condition, sizes: Sizes): boolean {
  const [a, b] = [dimValue(left, sizes), dimValue(right, sizes)];
  if (a === undefined || b === undefined) throw new Error(`bug in crobc: no input has the sizes of \`${condition}\``);
  switch (relation) {
    case '%':
      return ((a % b) + b) % b === remainder;
    case '==':
      return a === b;
    case '<=':
      return a <= b;
    case '<':
      return a < b;
  }
}
