import type { Facts } from '../dims/facts.ts';
import type { Guard } from './graph.ts';

/** A guard as others can evaluate it: every static value is a number, what is left are dims of the inputs. */
export interface GuardCondition {
  /** The whole: `T <= 512`, `H % 32 == 0`. */
  readonly condition: string;
  readonly left: string;
  readonly relation: Guard['relation'];
  readonly right: string;
  /** With `%`: left % right == remainder. */
  readonly remainder?: number;
  /** As the source has it: `T <= text.positions`. */
  readonly source: string;
}

export function guardCondition({ left, relation, right, remainder = 0, text }: Guard, facts: Facts): GuardCondition {
  const [a, b] = [facts.show(left), facts.show(right)];
  if (relation !== '%') return { condition: `${a} ${relation} ${b}`, left: a, relation, right: b, source: text };
  const condition = `${a.includes(' ') ? `(${a})` : a} % ${b} == ${remainder}`;
  return { condition, left: a, relation, right: b, remainder, source: text };
}
